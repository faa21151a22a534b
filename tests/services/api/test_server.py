"""The whole service on real servers: it starts, answers over a socket, and stops without cutting anybody off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from conftest import eventually
from objproc.operations.catalogue import encode_entry
from objproc.settings import Settings
from objproc.store.s3 import Store
from objproc.streams.connection import Client
from objproc.streams.redis import RedisStreams
from objproc_api import server
from objproc_api.__main__ import main

from .world import CATALOGUE


class Running:
    """An api service of this process."""

    def __init__(self, address: str, task: asyncio.Task[None], stopping: asyncio.Event) -> None:
        self.client = httpx.AsyncClient(base_url=address, timeout=30)
        self.task = task
        self.stopping = stopping


@pytest.fixture
async def api(
    settings: Settings, redis: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    await RedisStreams(redis).announce({entry.type: encode_entry(entry) for entry in CATALOGUE})
    listener = server.listen("127.0.0.1", 0)
    monkeypatch.setattr("objproc_api.__main__.listen", lambda host, port: listener)
    stopping = asyncio.Event()
    task = asyncio.create_task(main(settings, stopping))
    running = Running(f"http://127.0.0.1:{listener.getsockname()[1]}", task, stopping)

    async def is_ready() -> bool:
        return (await running.client.get("/readyz")).status_code == 200

    try:
        await eventually(is_ready)
        yield running
    finally:
        stopping.set()
        await asyncio.gather(task, return_exceptions=True)
        await running.client.aclose()


async def test_an_acknowledged_object_is_there_though_nobody_decides(api: Running) -> None:
    response = await api.client.post("/api/v1/process", json={"identifier": "a/b", "operations": ["transform"]})
    assert response.status_code == 202, response.text
    object_id = response.json()["object_id"]
    for path in (f"/api/v1/progress/{object_id}", "/api/v1/objects/a%2Fb", "/api/v1/objects/a/b"):
        body = (await api.client.get(path)).json()
        assert (body["object_id"], body["state"]) == (object_id, "PENDING")


async def test_of_many_repeats_at_once_one_is_new(api: Running) -> None:
    body = {"identifier": "same", "operations": ["validate"]}
    headers = {"idempotency-key": "k"}
    answers = await asyncio.gather(*(api.client.post("/api/v1/process", json=body, headers=headers) for _ in range(20)))
    assert len({answer.json()["object_id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_an_upload_is_the_content_of_the_next_request(api: Running) -> None:
    uploading = asyncio.create_task(api.client.put("/api/v1/objects/file.csv/content", content=b"a,b\n1,2\n"))

    async def is_known() -> bool:
        response = await api.client.post("/api/v1/process", json={"identifier": "file.csv", "operations": ["validate"]})
        found = await api.client.get(f"/api/v1/objects/{response.json()['object_id']}")
        return bool(found.json()["source"]["is_upload"])

    await eventually(is_known)
    uploading.cancel()  # nobody projects here, so it would only wait


async def test_a_stopping_service_ends_its_streams_and_then_itself(api: Running) -> None:
    response = await api.client.post("/api/v1/process", json={"identifier": "x", "operations": ["validate"]})
    stream = response.json()["links"]["stream"]
    async with api.client.stream("GET", stream) as reading:
        assert reading.status_code == 200
        chunks = reading.aiter_bytes()
        assert await anext(chunks) == b"retry: 1000\n\n"
        api.stopping.set()
        async for _ in chunks:
            pass
    async with asyncio.timeout(server.GRACE_S):
        await api.task


async def test_the_status_of_an_idle_system(api: Running) -> None:
    body = (await api.client.get("/api/v1/status")).json()
    assert len(body["partitions"]) == 8
    assert body["backlog"] == {"commands": 0, "results": 0, "tasks": 0, "lag": 0}

    async def is_counted() -> bool:
        missing = (await api.client.get("/health")).json()["missing"]
        return bool(missing == ["scheduler", "worker", "projector"])

    await eventually(is_counted)
