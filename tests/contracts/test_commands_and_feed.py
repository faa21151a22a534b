"""CommandPort and FeedPort: the api's side."""

from __future__ import annotations

import asyncio

import pytest

from contracts.conftest import PATIENCE_MS, World, batch_of
from objproc.streams.ports import START, Append, Appended, AppendMode, FeedItem


def new(object_id: str, command_id: str = "c1", body: bytes = b"body", mode: AppendMode = AppendMode.NEW) -> Append:
    return Append(mode, object_id, command_id, body)


async def commands(world: World, partition: int = 0) -> list[bytes]:
    found = await world.streams.read({partition: await world.streams.open(partition)}, 100, 0)
    return [entry.body for entry in found[partition].commands] if found else []


async def test_a_new_command_is_appended_and_pending(world: World) -> None:
    assert await world.streams.append({0: [new("o")]}) == {0: [Appended(0, None)]}
    assert await commands(world) == [b"body"]
    assert await world.streams.pending(0, ["o", "other"]) == [b"c1body", None]


async def test_a_new_command_stands_back_behind_an_undecided_one(world: World) -> None:
    await world.streams.append({0: [new("o", "c1", b"first")]})
    (answer,) = (await world.streams.append({0: [new("o", "c2", b"second")]}))[0]
    assert answer.earlier == b"c1first"
    assert await commands(world) == [b"first"]
    assert await world.streams.pending(0, ["o"]) == [b"c1first"]


async def test_two_new_commands_for_one_object_meet_within_one_batch(world: World) -> None:
    first, second = (await world.streams.append({0: [new("o", "c1", b"x"), new("o", "c2", b"y")]}))[0]
    assert (first.earlier, second.earlier) == (None, b"c1x")


async def test_a_replacing_command_takes_the_place_of_the_undecided_one(world: World) -> None:
    await world.streams.append({0: [new("o", "c1", b"first")]})
    (answer,) = (await world.streams.append({0: [new("o", "c2", b"second", AppendMode.REPLACE)]}))[0]
    assert answer.earlier is None
    assert await commands(world) == [b"first", b"second"]
    assert await world.streams.pending(0, ["o"]) == [b"c2second"]


async def test_a_plain_command_leaves_the_pending_hash_alone(world: World) -> None:
    await world.streams.append({0: [new("o", "c1", b"first"), new("o", "c2", b"plain", AppendMode.PLAIN)]})
    assert await commands(world) == [b"first", b"plain"]
    assert await world.streams.pending(0, ["o"]) == [b"c1first"]


async def test_commands_go_to_their_partitions_in_order(world: World) -> None:
    answers = await world.streams.append({2: [new("a", body=b"1"), new("b", body=b"2")], 0: [new("c", body=b"3")]})
    assert {partition: len(found) for partition, found in answers.items()} == {2: 2, 0: 1}
    assert (await commands(world, 2), await commands(world, 0)) == ([b"1", b"2"], [b"3"])


async def test_an_append_tells_the_head_of_the_log(world: World) -> None:
    head = await world.streams.open(0)
    await world.streams.commit([batch_of(head, b"x", b"y")])
    assert (await world.streams.append({0: [new("o")], 1: [new("o")]})) == {0: [Appended(2)], 1: [Appended(0)]}


async def test_bodies_are_kept_byte_for_byte(world: World) -> None:
    body = bytes(range(256))
    await world.streams.append({0: [new("o", "c", body)]})
    assert await commands(world) == [body]
    assert await world.streams.pending(0, ["o"]) == [b"c" + body]


# ---- feed ----


async def test_the_tail_of_an_empty_feed_is_the_start(world: World) -> None:
    assert await world.streams.tails([0, 1]) == {0: START, 1: START}


async def test_the_feed_is_read_after_the_cursors_and_in_order(world: World) -> None:
    await world.streams.publish(0, [FeedItem(1, b"a"), FeedItem(2, b"b")], [])
    await world.streams.publish(1, [FeedItem(1, b"c")], [])
    assert await world.streams.tails([0, 1, 2]) == {0: "2-0", 1: "1-0", 2: START}
    found = await world.streams.read_feed({0: "1-0", 1: START}, 0)
    assert sorted((entry.partition, entry.entry_id, entry.body) for entry in found) == [
        (0, "2-0", b"b"),
        (1, "1-0", b"c"),
    ]


async def test_a_reader_of_the_feed_wakes_when_something_is_published(world: World) -> None:
    reading = asyncio.create_task(world.streams.read_feed({0: START, 1: START}, PATIENCE_MS))
    await asyncio.sleep(0)
    await world.streams.publish(1, [FeedItem(1, b"x")], [])
    (entry,) = await reading
    assert (entry.partition, entry.body) == (1, b"x")


@pytest.mark.parametrize("wait_ms", [0, 10])
async def test_a_reader_of_the_feed_gives_up_in_time(world: World, wait_ms: int) -> None:
    assert await world.streams.read_feed({0: START}, wait_ms) == []


async def test_progress_is_fed_behind_the_newest_commit(world: World) -> None:
    await world.streams.publish(0, [FeedItem(5, b"never")], [])
    await world.streams.publish(0, [FeedItem(1, b"c1")], [])
    await world.streams.publish_progress({0: [b"p1", b"p2"], 1: [b"q"]})
    await world.streams.publish(0, [FeedItem(2, b"c2")], [])
    found = await world.streams.read_feed({0: START}, 0)
    assert [(entry.entry_id, entry.body) for entry in found] == [
        ("1-0", b"c1"),
        ("1-1", b"p1"),
        ("1-2", b"p2"),
        ("2-0", b"c2"),
    ]
    assert [entry.body for entry in await world.streams.read_feed({1: START}, 0)] == [b"q"]
