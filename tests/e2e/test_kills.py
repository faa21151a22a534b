"""kill -9 in the middle of the work: everything completes, and no operation takes effect twice."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

import asyncpg
import pytest

from objproc.wire.codec import decode_commit, hash_of
from objproc.wire.envelope import GENESIS
from objproc_client import AsyncClient
from objproc_embedded.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

OBJECTS = 200


async def completed(client: AsyncClient, identifier: str) -> int:
    """How many of the run's objects are completed."""
    return len([o async for o in client.iterate_objects(state="COMPLETED", identifier=f"{identifier}-*")])


@pytest.mark.parametrize("role", ["worker", "scheduler", "projector", "api"])
async def test_killing_a_service_loses_nothing_and_repeats_nothing(
    stack: Stack, client: AsyncClient, role: str
) -> None:
    names = [f"{role}-kill-{number}" for number in range(OBJECTS)]
    submissions = await asyncio.gather(*(client.process(name, ["last"]) for name in names))
    async with asyncio.timeout(60):
        while await completed(client, f"{role}-kill") < OBJECTS // 10:
            await asyncio.sleep(0.05)
        before = set(stack.pids(role))
        stack.kill(role, signal.SIGKILL)
        while await completed(client, f"{role}-kill") < OBJECTS:
            await asyncio.sleep(0.1)
        assert before.isdisjoint(stack.pids(role)), "the supervisor started new processes"
    for submission in submissions:
        events = [event async for event in client.events(submission.object_id)]
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        effects = Counter(event.data["operation"] for event in events if event.type == "OperationSucceeded")
        assert effects == {"first": 1, "nap": 1, "last": 1}
        assert sum(event.type == "ObjectCompleted" for event in events) == 1


async def test_a_worker_that_is_asked_to_stop_hands_its_task_back_and_that_is_no_failure(
    stack: Stack, client: AsyncClient
) -> None:
    submission = await client.process("handed-back", ["last"], params={"nap": {"seconds": 6}})
    async with asyncio.timeout(30):
        while (await client.progress(submission.object_id)).operations[1].state != "RUNNING":
            await asyncio.sleep(0.05)
    before = set(stack.pids("worker"))
    stack.kill("worker", signal.SIGTERM)
    async for _ in client.watch(submission.object_id):
        pass
    events = [event async for event in client.events(submission.object_id)]
    types = Counter(event.type for event in events)
    assert (types["TaskHandedBack"], types["TaskTakenOver"], types["OperationFailed"]) == (1, 0, 0)
    assert events[-1].type == "ObjectCompleted"
    assert before.isdisjoint(stack.pids("worker"))


async def test_an_inline_operation_that_is_slow_does_not_cost_its_worker_the_task(client: AsyncClient) -> None:
    submission = await client.process("slow-inline", ["busy"])
    async for _ in client.watch(submission.object_id):
        pass
    types = Counter([event.type async for event in client.events(submission.object_id)])
    assert (types["OperationSucceeded"], types["TaskTakenOver"]) == (1, 0)


async def test_the_log_is_one_chain_and_the_archive_holds_all_of_it(database: asyncpg.Connection) -> None:
    rows = await database.fetch("SELECT partition, seq, body FROM events ORDER BY partition, seq")
    ends: dict[int, tuple[int, str]] = {}
    for row in rows:
        seq, digest = ends.get(row["partition"], (0, GENESIS))
        commit = decode_commit(row["body"])
        assert (commit.partition, commit.seq, commit.prev) == (row["partition"], seq + 1, digest)
        ends[row["partition"]] = (commit.seq, hash_of(row["body"]))
    assert len(rows) > 0
    checkpoints = await database.fetch("SELECT partition, seq, hash FROM checkpoints WHERE seq > 0")
    assert {row["partition"]: (row["seq"], row["hash"]) for row in checkpoints} == ends
