"""HeartbeatPort and CataloguePort."""

from __future__ import annotations

from contracts.conftest import World


async def test_the_newest_sign_of_life_of_each_instance_is_known(world: World) -> None:
    assert await world.streams.beats() == {}
    await world.streams.beat("a", b"1")
    await world.streams.beat("b", b"1")
    await world.streams.beat("a", b"2")
    assert await world.streams.beats() == {"a": b"2", "b": b"1"}


async def test_instances_can_be_forgotten(world: World) -> None:
    await world.streams.beat("a", b"1")
    await world.streams.beat("b", b"1")
    await world.streams.forget_instances(["a", "never"])
    await world.streams.forget_instances([])
    assert await world.streams.beats() == {"b": b"1"}


async def test_announced_operations_stay_in_the_catalogue(world: World) -> None:
    assert await world.streams.catalogue() == {}
    await world.streams.announce({"validate": b"v1", "export": b"e"})
    await world.streams.announce({"validate": b"v2"})
    assert await world.streams.catalogue() == {"validate": b"v2", "export": b"e"}


async def test_what_was_read_can_be_changed_without_harm(world: World) -> None:
    await world.streams.beat("a", b"1")
    (await world.streams.beats()).clear()
    assert await world.streams.beats() == {"a": b"1"}
