"""The same cases over memory, over Valkey and over Debian's Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from objproc.clock import SystemClock
from objproc.streams.connection import Client, connect
from objproc.streams.memory import MemoryStreams, MemoryTasks
from objproc.streams.memory_server import MemoryServer
from objproc.streams.ports import CommitBatch, Head, NewTask
from objproc.streams.redis import RedisStreams
from objproc.streams.task_streams import RedisTasks
from redis_servers import ALWAYS, KINDS, Launch, RedisServer, launcher

PARTITIONS = 4
PATIENCE_MS = 2_000
"""How long a read may wait for what another task is about to write."""


@dataclass(slots=True)
class World:
    """The adapters under test, as all services see one server."""

    streams: Any
    tasks: Any


@pytest.fixture(scope="session")
def debian_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where Debian's Redis is."""
    with asyncio.Runner() as runner:
        server = RedisServer("redis", tmp_path_factory.mktemp("redis"), ALWAYS)
        runner.run(server.start())
        try:
            yield server.url
        finally:
            runner.run(server.close())


@pytest.fixture
async def debian(debian_url: str) -> AsyncIterator[Client]:
    """A client of Debian's Redis, empty."""
    client = connect(debian_url)
    await client.flushdb()
    yield client
    await client.flushdb()
    await client.aclose()


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Starts servers of the test's own."""
    async with launcher(tmp_path) as start:
        yield start


@pytest.fixture(params=["memory", *KINDS])
def world(request: pytest.FixtureRequest) -> World:
    """Both adapters, the real one over each server in turn, empty."""
    if request.param == "memory":
        server = MemoryServer(SystemClock())
        return World(MemoryStreams(server), MemoryTasks(server, PARTITIONS))
    client = request.getfixturevalue("redis" if request.param == "valkey" else "debian")
    return World(RedisStreams(client), RedisTasks(client, PARTITIONS))


def batch_of(head: Head, *bodies: bytes, partition: int = 0, **more: Any) -> CommitBatch:
    """A batch on `head`; the hash it leads to is the last body itself."""
    values: dict[str, Any] = {
        "partition": partition,
        "head": head,
        "commands_cursor": head.commands_cursor,
        "results_cursor": head.results_cursor,
        "bodies": list(bodies),
        "hash": bodies[-1].decode() if bodies else "",
    }
    return CommitBatch(**values | more)


def task(entry_id: str, pool: str = "p") -> NewTask:
    """A task whose body is its id."""
    return NewTask(pool, entry_id, entry_id.encode())


async def with_tasks(world: World, *entry_ids: str, pool: str = "p", partition: int = 0) -> Head:
    """Append tasks through a commit."""
    head = await world.streams.open(partition)
    tasks = [task(entry_id, pool) for entry_id in entry_ids]
    heads = await world.streams.commit([batch_of(head, b"c", partition=partition, tasks=tasks)])
    after = heads[partition]
    assert after is not None
    return after


async def claim(world: World, consumer: str, count: int = 10, pool: str = "p") -> list[str]:
    """Entry ids of what is there to claim; the first call of all only makes the groups."""
    if not await world.streams.holders(0, [pool]):
        assert await world.tasks.claim(pool, consumer, count, 0) == []
    return [claimed.entry_id for claimed in await world.tasks.claim(pool, consumer, count, 0)]
