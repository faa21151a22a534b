"""Redis goes back, or goes away for good: PostgreSQL knows what was, and every live object is finished."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from e2e.conftest import SETTINGS
from objproc.streams.connection import connect
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import GENESIS
from objproc_client import AsyncClient, Retries
from objproc_embedded.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

OBJECTS = 60


@pytest_asyncio.fixture(loop_scope="session")
async def own_stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack of its own: the servers' data is tampered with."""
    async with Stack(tmp_path / "data", env=SETTINGS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def own_client(own_stack: Stack) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(own_stack.url, retries=Retries(attempts_max=30)) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def own_database(own_stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(own_stack.env["DATABASE_URL"])
    yield connection
    await connection.close()


async def submit(client: AsyncClient, name: str, count: int) -> list[str]:
    """Object ids of new objects that take a moment each."""
    made = [client.process(f"{name}-{n}", ["last"], params={"nap": {"seconds": 0.2}}) for n in range(count)]
    return [submission.object_id for submission in await asyncio.gather(*made)]


async def known(
    database: asyncpg.Connection, object_ids: list[str], states: str = "QUEUED|PROCESSING|COMPLETED"
) -> int:
    """How many of the objects PostgreSQL has in one of `states`."""
    query = "SELECT count(*) FROM objects WHERE object_id = ANY($1::uuid[]) AND state = ANY($2)"
    return int(await database.fetchval(query, object_ids, states.split("|")))


async def until(database: asyncpg.Connection, object_ids: list[str], count: int, states: str) -> None:
    async with asyncio.timeout(60):
        while await known(database, object_ids, states) < count:
            await asyncio.sleep(0.05)


async def check_histories(client: AsyncClient, database: asyncpg.Connection, object_ids: list[str]) -> int:
    """Each operation took effect once, the archive is one chain; answers how many repairs are on record."""
    for object_id in object_ids:
        events = [event async for event in client.events(object_id)]
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        effects = Counter(event.data["operation"] for event in events if event.type == "OperationSucceeded")
        assert effects == {"first": 1, "nap": 1, "last": 1}
    ends: dict[int, tuple[int, str]] = {}
    for row in await database.fetch("SELECT partition, seq, body FROM events ORDER BY partition, seq"):
        commit = decode_commit(row["body"])
        seq, digest = ends.get(row["partition"], (0, GENESIS))
        assert (commit.seq, commit.prev) == (seq + 1, digest)
        ends[row["partition"]] = (commit.seq, commit.hash)
    return int(await database.fetchval("SELECT coalesce(sum(version), 0) FROM records"))


async def test_a_total_loss_of_redis_loses_no_projected_object(
    own_stack: Stack, own_client: AsyncClient, own_database: asyncpg.Connection
) -> None:
    object_ids = await submit(own_client, "lost", OBJECTS)
    await until(own_database, object_ids, OBJECTS, "QUEUED|PROCESSING|COMPLETED")
    assert await known(own_database, object_ids, "COMPLETED") < OBJECTS
    redis = connect(own_stack.env["REDIS_URL"])
    await redis.flushall()
    await redis.aclose()
    await until(own_database, object_ids, OBJECTS, "COMPLETED")
    later = await submit(own_client, "later", 5)
    await until(own_database, later, 5, "COMPLETED")
    assert await check_histories(own_client, own_database, object_ids + later) >= 1


async def test_a_failover_that_lost_the_end_of_the_log_is_repaired_and_on_record(
    own_stack: Stack, own_client: AsyncClient, own_database: asyncpg.Connection, tmp_path: Path
) -> None:
    folder = own_stack.data / "valkey"
    first = await submit(own_client, "before", OBJECTS // 2)
    await until(own_database, first, OBJECTS // 2, "QUEUED|PROCESSING|COMPLETED")
    await own_stack.stop("valkey")
    shutil.copytree(folder, tmp_path / "older")
    await own_stack.start("valkey")
    second = await submit(own_client, "after", OBJECTS // 2)
    await until(own_database, first + second, OBJECTS, "QUEUED|PROCESSING|COMPLETED")
    await until(own_database, first, 5, "COMPLETED")
    await own_stack.stop("valkey")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "older", folder)
    await own_stack.start("valkey")
    await until(own_database, first + second, OBJECTS, "COMPLETED")
    assert await check_histories(own_client, own_database, first + second) >= 1
