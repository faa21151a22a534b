"""The api over a world in memory, and a client of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from objproc.heartbeat import Census
from objproc.settings import Settings
from objproc_api.app import create_app
from objproc_api.assembly import assemble
from objproc_api.parts import Parts

from .world import PARTITIONS, TestClock, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def api_settings() -> Settings:
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        database_url="postgresql://nowhere",
        redis_url="redis://nowhere",
        partitions=PARTITIONS,
        content_bytes_max=40 << 20,
    )


@pytest.fixture
async def parts(world: World, clock: TestClock, api_settings: Settings) -> AsyncIterator[Parts]:
    """The api's parts, with the feed's loop running."""
    census = Census(world, clock, api_settings.heartbeat_ms)
    parts = assemble(api_settings, clock, census, world, world, world, world, world)
    parts.health.is_set_up = True
    parts.lookup._miss_wait_s = 0.0  # the test clock stands still
    await until_known(parts)
    loop = asyncio.create_task(read_feed(parts))
    yield parts
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def until_known(parts: Parts) -> None:
    """The feed's tails are known: what comes from now on is handed on."""
    step = asyncio.create_task(parts.hub.step())
    await asyncio.sleep(0)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)


async def read_feed(parts: Parts) -> None:
    while True:
        await parts.hub.step()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(parts), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


Submit = Callable[..., Any]


@pytest.fixture
def submit(client: httpx.AsyncClient) -> Submit:
    """Submit an object; its answer's body."""

    async def submit(identifier: str = "my-object", *operations: str, **more: Any) -> dict[str, Any]:
        body = {"identifier": identifier, "operations": operations or ["validate"], **more}
        response = await client.post("/api/v1/process", json=body)
        assert response.status_code == 202, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return submit
