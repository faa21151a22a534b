"""What the simulation found in our own code, each as small as it can be told."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.stored import commits_of
from given import Story, chain, submission, succeeded
from objproc.clock import SystemClock
from objproc.errors import TransientError
from objproc.heartbeat import Census
from objproc.leases import Leases
from objproc.streams.memory import MemoryStreams
from objproc.streams.memory_server import MemoryServer
from objproc.streams.ports import START, Claimed, CommitBatch, Head
from objproc_projector.projector import Projector
from objproc_worker.claims import Claims
from simulation.stores import MemoryProjection

HEARTBEAT_MS = 1000


class HandClock(SystemClock):
    """Moves by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class FailsAtPublish(MemoryStreams):
    """Its server goes away just before something is fed."""

    is_away = False

    async def publish(self, partition: int, items: Any, settled: Any) -> int:
        if self.is_away and items:
            self.is_away = False
            raise TransientError("away")
        return await super().publish(partition, items, settled)


class World:
    """A projector over memory, with a log of two commits."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.server = MemoryServer(self.clock, is_simulated=True)
        self.streams = FailsAtPublish(self.server)
        self.rows = MemoryProjection(1)
        story = Story()
        story.when(submission(chain("a")))
        story.when(succeeded("a"))
        self.commits = commits_of(story)

    def projector(self, name: str) -> Projector:
        census = Census(self.streams, self.clock, HEARTBEAT_MS)
        leases = Leases(self.streams, census, role="projector", instance=name, partitions=1, lease_ms=3000)
        return Projector(self.streams, self.rows, self.rows, self.rows, leases, self.clock, HEARTBEAT_MS)

    async def commit(self, head: Head, count: int) -> Head:
        commits = self.commits[head.seq : head.seq + count]
        batch = CommitBatch(
            partition=0,
            head=head,
            commands_cursor=START,
            results_cursor=START,
            bodies=[commit.body for commit in commits],
            hash=commits[-1].hash,
        )
        after = (await self.streams.commit([batch]))[0]
        assert after is not None
        return after


@pytest.fixture
def world() -> World:
    return World()


async def test_what_could_not_be_fed_is_fed_without_waiting_for_another_commit(world: World) -> None:
    projector = world.projector("p")
    await world.commit(await world.streams.open(0), 2)
    world.streams.is_away = True
    with pytest.raises(TransientError):
        await projector.step()
    assert world.rows.points[0].seq == 2
    await projector.step()
    assert (await world.streams.open(0)).projected == 2


async def test_a_projector_that_was_overtaken_does_not_say_that_the_log_is_broken(world: World) -> None:
    slow, quick = world.projector("slow"), world.projector("quick")
    head = await world.commit(await world.streams.open(0), 1)
    await slow.step()
    await world.commit(head, 1)
    world.clock.seconds += 4  # its lease is over
    await quick.step()
    slow._round_at = world.clock.seconds + 1  # it does not know yet
    slow._known.clear()
    await asyncio.gather(slow.step(), return_exceptions=True)
    for _ in range(3):
        world.clock.seconds += 4
        await slow.step()
    assert slow.broken == {}
    assert world.rows.points[0].seq == 2


async def test_a_lease_that_went_in_a_step_that_failed_ends_the_work_all_the_same(world: World) -> None:
    projector = world.projector("p")
    await projector.step()
    assert projector.facts()["partitions"] == {"0": 0}
    projector._leases.held = set()  # as Leases.step leaves it, when its next call fails
    await world.streams.release("projector", [0], "p")
    await world.streams.hold("projector", [0], "another", 60_000)
    world.clock.seconds += 2
    await projector.step()
    assert projector.facts()["partitions"] == {}


class SlowHeld:
    """Answers what was held when it was asked; the answer takes a while."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.answers = asyncio.Event()
        self.is_broken = False

    async def claim(self, *_: Any) -> list[Claimed]:
        if self.is_broken:
            raise TransientError("the answer was lost")
        return [self.claimed]

    async def held(self, *_: Any) -> list[Claimed]:
        held = [self.claimed]
        await self.answers.wait()
        return held


async def test_a_task_that_is_finished_while_lost_claims_are_looked_for_does_not_run_again() -> None:
    claimed = Claimed(0, "p", "1-0", b"task")
    port = SlowHeld(claimed)
    claims = Claims(port, "w")  # type: ignore[arg-type]
    await claims.claim("p", 1, 0)
    port.is_broken = True
    with pytest.raises(TransientError):
        await claims.claim("p", 1, 0)
    port.is_broken = False
    looking = asyncio.create_task(claims.claim("p", 1, 0))
    await asyncio.sleep(0)
    claims.forget((0, "p", "1-0"))
    port.claimed = dataclasses.replace(claimed, entry_id="2-0")
    port.answers.set()
    assert [each.entry_id for each in await looking] == ["2-0"]
