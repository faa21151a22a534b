"""A 202 of the running api, and the death of the server that keeps the command."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import eventually, settings_of
from objproc.operations.catalogue import encode_entry
from objproc.streams.redis import RedisStreams
from objproc_api import server as http_server
from objproc_api.__main__ import main
from redis_servers import ALWAYS, EVERYSEC, Launch, RedisServer, launcher
from services.api.world import CATALOGUE

PROCESS = "/api/v1/process"
KILLS = 3


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    async with launcher(tmp_path) as start:
        yield start


@pytest.fixture
def environment(servers: dict[str, str], database_url: str) -> dict[str, str]:
    return servers | {"DATABASE_URL": database_url}


@asynccontextmanager
async def api_on(redis: RedisServer, environment: dict[str, str], **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The api service of this process, over a Redis of the test's own."""
    await RedisStreams(redis.client).announce({entry.type: encode_entry(entry) for entry in CATALOGUE})
    listener, stopping = http_server.listen("127.0.0.1", 0), asyncio.Event()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("objproc_api.__main__.listen", lambda host, port: listener)
        settings = settings_of(environment | {"REDIS_URL": redis.url}, partitions=8, **more)
        task = asyncio.create_task(main(settings, stopping))
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:

            async def is_ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            try:
                await eventually(is_ready)
                yield client
            finally:
                stopping.set()
                await task


async def post(client: httpx.AsyncClient, name: str) -> httpx.Response:
    body = {"identifier": name, "operations": ["validate"]}
    return await client.post(PROCESS, json=body, headers={"Idempotency-Key": name})


@pytest.mark.parametrize(
    ("kind", "options", "level"),
    [
        ("valkey", ALWAYS, "durable"),
        ("valkey", EVERYSEC, "durable"),
        ("valkey", EVERYSEC, "accepted"),
        ("valkey", ALWAYS, "replicated"),
        ("redis", ALWAYS, "durable"),
        ("redis", ALWAYS, "replicated"),
    ],
)
async def test_after_kill_9_of_redis_every_object_with_a_202_is_there(
    launch: Launch, environment: dict[str, str], kind: str, options: tuple[str, ...], level: str
) -> None:
    redis = await launch(kind, *options)
    if level == "replicated":
        await launch(kind, *ALWAYS, "--replicaof", "127.0.0.1", str(redis.port))
    acknowledged: dict[str, str] = {}
    chance, numbers = random.Random(11), iter(range(1_000_000))

    async with api_on(redis, environment, durability=level) as client:

        async def submit_until_it_fails() -> None:
            async with asyncio.timeout(30):
                while (response := await post(client, f"n{next(numbers)}")).status_code == 202:
                    acknowledged[response.json()["identifier"]] = response.json()["object_id"]
            assert response.status_code == 503

        async def is_met() -> bool:
            told: bool = (await client.get("/readyz")).json()["durability"]["is_met"]
            return told and (await post(client, "probe")).status_code == 202

        for _ in range(KILLS):
            await eventually(is_met, 20)
            callers = [asyncio.create_task(submit_until_it_fails()) for _ in range(6)]
            before, wanted = len(acknowledged), chance.randint(10, 40)
            async with asyncio.timeout(20):
                while len(acknowledged) < before + wanted:
                    await asyncio.sleep(0.001)
            redis.kill()
            await asyncio.gather(*callers)
            await redis.start()
        await eventually(is_met, 20)
        for identifier, object_id in acknowledged.items():
            response = await client.get(f"/api/v1/objects/{object_id}")
            assert (response.status_code, response.json()["identifier"]) == (200, identifier)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_without_a_replica_a_command_waits_for_one_under_its_key(
    launch: Launch, environment: dict[str, str], kind: str
) -> None:
    redis = await launch(kind, *ALWAYS)
    async with api_on(redis, environment, durability="replicated") as client:
        told = (await client.get("/readyz")).json()["durability"]
        assert told == {"level": "replicated", "is_met": False, "reason": "no replica is connected"}
        refused = await post(client, "a")
        assert (refused.status_code, refused.json()["code"]) == (503, "not_replicated")
        assert int(refused.headers["Retry-After"]) > 0
        replica = await launch(kind, *ALWAYS, "--replicaof", "127.0.0.1", str(redis.port))

        async def is_accepted() -> bool:
            return (await post(client, "a")).status_code == 202

        await eventually(is_accepted, 20)
        with replica.frozen():
            assert (await post(client, "b")).json()["code"] == "not_replicated"
            assert (await post(client, "b")).json()["code"] == "not_replicated"
        repeats = [await post(client, "b") for _ in range(2)]
        assert {repeat.status_code for repeat in repeats} == {202}
        assert len({repeat.json()["object_id"] for repeat in repeats}) == 1


async def test_a_server_below_the_level_is_named_in_one_line_and_served(
    launch: Launch, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    redis = await launch("redis", *EVERYSEC)
    async with api_on(redis, environment) as client:
        reason = "appendfsync is everysec, and the server has no WAITAOF"
        told = (await client.get("/readyz")).json()["durability"]
        assert told == {"level": "durable", "is_met": False, "reason": reason}
        for name in range(3):
            assert (await post(client, str(name))).status_code == 202
        lines = [record for record in caplog.records if "durability_below_level" in record.getMessage()]
        assert len(lines) == 1
