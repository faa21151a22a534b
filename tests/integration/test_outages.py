"""A server goes away and comes back: who needs it says so, waits, and goes on. A full one gets no new work."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from conftest import eventually
from e2e.conftest import SETTINGS
from objproc.streams.connection import connect
from objproc_client import AsyncClient, Retries, UnavailableError
from objproc_embedded.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAXMEMORY = 256 << 20
OBJECTS = 40
FILLS = ((int(0.85 * MAXMEMORY), "high"), (MAXMEMORY, "full"))
BALLAST = "objproc:ballast"
RETURN_S_MAX = 10.0
AWAY_S = 3.0
NAMES = {"valkey": "redis", "postgres": "postgresql", "s3": "s3"}
PROCESS = "/api/v1/process"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    env = SETTINGS | {"VALKEY_MAXMEMORY": str(MAXMEMORY)}
    async with Stack(tmp_path_factory.mktemp("outages"), env=env) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as client:
        yield client


async def away(http: httpx.AsyncClient) -> set[str]:
    """The servers that `/readyz` misses."""
    response = await http.get("/readyz")
    missing = {name for name, state in response.json()["servers"].items() if state != "ok"}
    assert response.status_code == (503 if missing else 200)
    return missing


async def completes(http: httpx.AsyncClient, identifier: str) -> None:
    """An object goes all the way: through Redis, PostgreSQL, S3 and a worker."""
    deadline_s = time.monotonic() + RETURN_S_MAX

    async def is_completed() -> bool:
        headers = {"Idempotency-Key": identifier, "Prefer": "wait=2"}
        body = {"identifier": identifier, "operations": ["validate"], "data": {"n": 1}}
        response = await http.post(PROCESS, json=body, headers=headers)
        assert response.status_code in {200, 202, 503}, response.text
        return response.status_code == 200 and response.json()["state"] == "COMPLETED"

    await eventually(is_completed, deadline_s - time.monotonic())


Way = Callable[[Stack, str], Awaitable[None]]


async def stop(stack: Stack, name: str) -> None:
    await stack.stop(name)


async def start(stack: Stack, name: str) -> None:
    await stack.start(name)


async def freeze(stack: Stack, name: str) -> None:
    stack.kill(name, signal.SIGSTOP)


async def thaw(stack: Stack, name: str) -> None:
    stack.kill(name, signal.SIGCONT)


@pytest.mark.parametrize(("name", "goes", "returns"), [
    ("valkey", stop, start),
    ("postgres", stop, start),
    ("s3", stop, start),
    ("valkey", freeze, thaw),
])  # fmt: skip
async def test_an_outage_is_named_and_ends_by_itself_within_10_s(
    stack: Stack, http: httpx.AsyncClient, name: str, goes: Way, returns: Way
) -> None:
    kind = f"{name}-{goes.__name__}"
    await completes(http, f"before-{kind}")
    pids = {role: stack.pids(role) for role in ("api", "scheduler", "worker", "projector")}
    await goes(stack, name)

    async def is_named() -> bool:
        return await away(http) == {NAMES[name]}

    await eventually(is_named, 15)
    until_s = time.monotonic() + AWAY_S
    while time.monotonic() < until_s:
        assert await away(http) == {NAMES[name]}
        assert (await http.get("/livez")).status_code == 200, "a restart would not bring the server back"
        await asyncio.sleep(0.2)

    await returns(stack, name)
    if goes is stop:
        await stack._servers.wait_ready()
    await completes(http, f"after-{kind}")
    assert await away(http) == set()
    assert {role: stack.pids(role) for role in pids} == pids, "nobody died of it"


@pytest.mark.parametrize(("fill", "code"), FILLS)
async def test_while_redis_is_nearly_full_new_work_is_refused_and_accepted_work_is_finished(
    stack: Stack, http: httpx.AsyncClient, fill: int, code: str
) -> None:
    redis = connect(stack.env["REDIS_URL"])

    async def is_refused() -> bool:
        response = await http.post(PROCESS, json={"identifier": "more", "operations": ["last"]})
        if response.status_code == 202:
            return False
        assert (response.status_code, response.json()["code"]) == (503, "overloaded")
        assert int(response.headers["Retry-After"]) > 0
        return True

    async def is_accepted() -> bool:
        return not await is_refused()

    async with redis, AsyncClient(stack.url, retries=Retries(attempts_max=1)) as client:
        submissions = await asyncio.gather(*(client.process(f"{code}-{n}", ["last"]) for n in range(OBJECTS)))
        await redis.setrange(BALLAST, fill, b"x")
        await eventually(is_refused, 3)
        with pytest.raises(UnavailableError):
            await client.process("one more", ["last"])

        async def are_finished() -> bool:
            items = [one async for one in client.iterate_objects(state="COMPLETED", identifier=f"{code}-*")]
            return {one.object_id for one in items} == {one.object_id for one in submissions}

        await eventually(are_finished, 30)
        assert await is_refused()
        assert all(len(stack.pids(role)) == 1 for role in ("scheduler", "worker", "projector"))
        await redis.delete(BALLAST)
        await eventually(is_accepted, 3)
