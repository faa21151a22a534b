"""LeasePort: who works on which partition."""

from __future__ import annotations

from datetime import UTC, datetime

from conftest import eventually
from contracts.conftest import World
from objproc.streams.memory import MemoryStreams
from objproc.streams.memory_server import MemoryServer

LONG_MS = 60_000


async def test_a_free_lease_can_be_held_and_prolonged(world: World) -> None:
    assert await world.streams.hold("scheduler", [0, 1], "me", LONG_MS) == [True, True]
    assert await world.streams.hold("scheduler", [0, 1, 2], "me", LONG_MS) == [True, True, True]


async def test_a_lease_that_somebody_holds_cannot_be_taken(world: World) -> None:
    await world.streams.hold("scheduler", [1], "me", LONG_MS)
    assert await world.streams.hold("scheduler", [0, 1, 2], "you", LONG_MS) == [True, False, True]


async def test_leases_of_different_roles_do_not_meet(world: World) -> None:
    await world.streams.hold("scheduler", [0], "me", LONG_MS)
    assert await world.streams.hold("projector", [0], "you", LONG_MS) == [True]


async def test_a_released_lease_can_be_taken(world: World) -> None:
    await world.streams.hold("scheduler", [0], "me", LONG_MS)
    await world.streams.release("scheduler", [0, 1], "me")
    assert await world.streams.hold("scheduler", [0], "you", LONG_MS) == [True]


async def test_only_the_owner_can_release_a_lease(world: World) -> None:
    await world.streams.hold("scheduler", [0], "me", LONG_MS)
    await world.streams.release("scheduler", [0], "you")
    assert await world.streams.hold("scheduler", [0], "you", LONG_MS) == [False]


async def test_a_lease_that_was_not_prolonged_can_be_taken(world: World) -> None:
    await world.streams.hold("scheduler", [0], "me", 1)

    async def take() -> bool:
        return (await world.streams.hold("scheduler", [0], "you", LONG_MS)) == [True]

    await eventually(take)
    assert await world.streams.hold("scheduler", [0], "me", LONG_MS) == [False]


async def test_holding_nothing_is_fine(world: World) -> None:
    assert await world.streams.hold("scheduler", [], "me", LONG_MS) == []
    await world.streams.release("scheduler", [], "me")


class StandingClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


async def test_over_memory_a_lease_ends_by_the_clock_that_was_handed_in() -> None:
    clock = StandingClock()
    streams = MemoryStreams(MemoryServer(clock, is_simulated=True))
    await streams.hold("scheduler", [0], "me", 1_000)
    clock.seconds = 0.999
    assert await streams.hold("scheduler", [0], "you", 1_000) == [False]
    clock.seconds = 1.0
    assert await streams.hold("scheduler", [0], "you", 1_000) == [True]
