"""What only a real server does: forgetting scripts, being away, refusing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from conftest import eventually
from contracts.conftest import batch_of
from objproc.errors import PermanentError, TransientError
from objproc.streams import keys
from objproc.streams.connection import WAIT_MS_MAX, Client, connect
from objproc.streams.ports import START, Append, AppendMode
from objproc.streams.redis import RedisStreams
from redis_servers import KINDS


@pytest.fixture(params=KINDS)
def server_url(request: pytest.FixtureRequest) -> str:
    """Valkey and Debian's Redis in turn."""
    url: str = request.getfixturevalue("servers")["REDIS_URL"] if request.param == "valkey" else None
    return url or request.getfixturevalue("debian_url")


@pytest.fixture
async def redis(server_url: str) -> AsyncIterator[Client]:
    client = connect(server_url)
    await client.flushdb()
    yield client
    await client.flushdb()
    await client.aclose()


@pytest.fixture
def redis_url(server_url: str, redis: Client) -> str:
    return server_url


def appends(count: int) -> list[Append]:
    return [Append(AppendMode.NEW, f"o{n}", "c", b"x") for n in range(count)]


@pytest.mark.parametrize("partitions", [[0], [0, 1, 2]])
async def test_a_server_that_forgot_the_scripts_is_taught_them(redis: Client, partitions: list[int]) -> None:
    await redis.script_flush()
    answers = await RedisStreams(redis).append({partition: appends(2) for partition in partitions})
    assert [[item.earlier for item in found] for found in answers.values()] == [[None, None]] * len(partitions)
    assert [await redis.xlen(keys.commands(partition)) for partition in partitions] == [2] * len(partitions)


async def test_a_server_that_is_away_is_transient(redis: Client) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = connect(f"redis://127.0.0.1:{taken.getsockname()[1]}/0")
        streams = RedisStreams(client)
        for call in (streams.open(0), streams.read_log(0, 0, 1), streams.beats(), streams.pending(0, ["o"])):
            with pytest.raises(TransientError):
                await call
        await client.aclose()


async def test_a_read_whose_connection_is_cut_is_transient_and_the_next_call_goes_through(
    redis: Client, redis_url: str
) -> None:
    client = connect(redis_url)
    streams = RedisStreams(client)
    reading = asyncio.create_task(streams.read_feed({0: START}, WAIT_MS_MAX))

    async def blocked() -> list[str]:
        return [found["id"] for found in await redis.client_list() if "b" in found["flags"]]

    (name,) = await eventually(blocked)
    await redis.client_kill_filter(_id=name)
    with pytest.raises(TransientError):
        await reading
    assert await streams.read_feed({0: START}, 0) == []
    await client.aclose()


async def test_a_connection_that_was_cut_while_it_rested_is_made_anew(redis: Client, redis_url: str) -> None:
    client = connect(redis_url)
    streams = RedisStreams(client)
    await streams.beat("a", b"1")
    await redis.client_kill_filter(_id=await client.client_id())
    assert await streams.beats() == {"a": b"1"}
    await client.aclose()


async def test_a_refusal_is_permanent(redis: Client) -> None:
    await redis.set(keys.events(0), "no stream")
    with pytest.raises(PermanentError):
        await RedisStreams(redis).read_log(0, 0, 1)


async def test_a_log_that_is_longer_than_its_head_says_is_refused_and_not_overwritten(redis: Client) -> None:
    streams = RedisStreams(redis)
    await streams.commit([batch_of(await streams.open(0), b"a")])
    await redis.hset(keys.meta(0), mapping={"seq": 0, "hash": "0" * 64})
    head = await streams.open(0)
    with pytest.raises(PermanentError):
        await streams.commit([batch_of(head, b"other")])
    assert [entry.body for entry in await streams.read_log(0, 0, 9)] == [b"a"]


async def test_all_keys_of_a_partition_live_in_one_slot(redis: Client) -> None:
    names = [
        *(make(3) for make in (keys.commands, keys.results, keys.events, keys.progress, keys.feed, keys.control)),
        *(make(3) for make in (keys.meta, keys.pending)),
        keys.tasks(3, "p"),
        keys.lease(3, "scheduler"),
    ]
    assert len(set(names)) == len(names)
    assert {name.partition("{")[2].partition("}")[0] for name in names} == {"3"}
    assert all(name.startswith("objproc:") for name in names)
