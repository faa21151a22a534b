"""Server-sent events of one object: each once, in order, to the end, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from objproc.domain.commands import RetryObject
from objproc.feed import FeedCommit, RunningProgress, decode_feed
from objproc_api import object_stream, outcomes
from objproc_api.feed import QUEUE_ITEMS_MAX, Subscription
from objproc_api.object_stream import KEEP_ALIVE, OPENING, ObjectStream
from objproc_api.parts import Parts
from objproc_api.routes.progress import follow

from .conftest import Submit
from .test_control import fail
from .test_objects import finish, start
from .test_process import problem
from .world import World


def parsed(frame: bytes) -> dict[str, Any]:
    """A frame's fields; data decoded."""
    lines = dict(line.split(": ", 1) for line in frame.decode().strip().splitlines())
    return {**lines, "data": orjson.loads(lines["data"])}


def ids(frames: list[bytes]) -> list[int]:
    return [int(parsed(frame)["id"]) for frame in frames if frame.startswith(b"id: ")]


@pytest.fixture
async def object_id(submit: Submit) -> str:
    """An object whose `validate` is queued: versions 1 and 2."""
    name: str = (await submit())["object_id"]
    return name


class Client:
    """Reads one stream, frame by frame."""

    def __init__(self, parts: Parts, world: World, object_id: str, last: int = 0) -> None:
        self.subscription = Subscription(is_behind=True)
        self._stream = ObjectStream(world, object_id, 1, last)
        self._frames: AsyncIterator[bytes] = self._stream.frames(self.subscription)

    async def next(self) -> bytes:
        frame = await anext(self._frames)
        return await self.next() if frame == OPENING else frame

    async def next_id(self) -> int:
        return int(parsed(await self.next())["id"])

    async def rest(self) -> list[bytes]:
        return [frame async for frame in self._frames]


def told_of(world: World, object_id: str) -> list[FeedCommit]:
    """What the feed said of an object."""
    items = [decode_feed(body) for bodies in world.feed.values() for body in bodies]
    return [item for item in items if isinstance(item, FeedCommit) and item.object_id == object_id]


async def test_a_finished_object_is_told_from_its_beginning_to_its_end(
    client: httpx.AsyncClient, world: World, object_id: str
) -> None:
    finish(world, object_id)
    response = await client.get(f"/api/v1/progress/{object_id}/stream")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    frames = [frame.encode() for frame in response.text.split("\n\n") if frame.startswith("id: ")]
    assert ids(frames) == [1, 2, 3, 4, 5]
    last = parsed(frames[-1])
    assert last["event"] == "ObjectCompleted"
    assert last["data"] == {
        "object_id": object_id,
        "identifier": "my-object",
        "state": "COMPLETED",
        "version": 5,
        "progress": 100.0,
        "event": "ObjectCompleted",
        "at": "2026-01-02T12:00:01Z",
    }
    queued = parsed(frames[1])["data"]
    assert (queued["operation"], queued["attempt"]) == ("validate", 1)


@pytest.mark.parametrize("headers", [True, False])
async def test_a_client_resumes_after_the_last_event_it_saw(
    client: httpx.AsyncClient, world: World, object_id: str, headers: bool
) -> None:
    finish(world, object_id)
    path = f"/api/v1/progress/{object_id}/stream"
    if headers:
        response = await client.get(path, headers={"last-event-id": "3"})
    else:
        response = await client.get(path, params={"last_event_id": "3"})
    assert response.text.count("id: ") == 2
    nothing_left = await client.get(path, headers={"last-event-id": "5"})
    assert "id: " not in nothing_left.text


async def test_an_id_that_is_no_version_is_refused(client: httpx.AsyncClient, object_id: str) -> None:
    response = await client.get(f"/api/v1/progress/{object_id}/stream", headers={"last-event-id": "2:7"})
    problem(response, 400, "invalid_header")


async def test_live_events_follow_history_without_gap_or_repeat(parts: Parts, world: World, object_id: str) -> None:
    client = Client(parts, world, object_id)
    assert [await client.next_id(), await client.next_id()] == [1, 2]
    for commit in told_of(world, object_id):  # the feed may bring what PostgreSQL had already
        client.subscription.offer(commit)
    start(world, object_id)
    client.subscription.offer(told_of(world, object_id)[-1])
    assert await client.next_id() == 3
    finish(world, object_id)
    client.subscription.offer(told_of(world, object_id)[-1])
    assert ids(await client.rest()) == [4, 5]
    assert world.reads == 1


async def test_what_the_feed_left_out_is_read_from_the_history(parts: Parts, world: World, object_id: str) -> None:
    client = Client(parts, world, object_id)
    assert [await client.next_id(), await client.next_id()] == [1, 2]
    start(world, object_id)
    finish(world, object_id)
    client.subscription.offer(told_of(world, object_id)[-1])
    assert ids(await client.rest()) == [3, 4, 5]


async def test_a_long_history_is_read_in_portions(
    parts: Parts, world: World, object_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "COMMITS_MAX", 1)
    finish(world, object_id)
    assert ids(await Client(parts, world, object_id).rest()) == [1, 2, 3, 4, 5]
    assert world.reads == 3


async def test_a_slow_client_loses_nothing(parts: Parts, world: World, object_id: str) -> None:
    client = Client(parts, world, object_id)
    assert await client.next_id() == 1
    start(world, object_id)
    item = told_of(world, object_id)[-1]
    for _ in range(QUEUE_ITEMS_MAX + 1):
        client.subscription.offer(item)
    assert client.subscription.is_behind
    finish(world, object_id)
    assert ids(await client.rest()) == [2, 3, 4, 5]


async def test_a_retried_object_s_stream_goes_on_after_its_first_end(
    parts: Parts, world: World, object_id: str
) -> None:
    fail(world, object_id)
    world.give(RetryObject(object_id=object_id, command_id="r"))
    client = Client(parts, world, object_id)
    seen = [parsed(await client.next()) for _ in range(7)]
    assert [one["data"]["state"] for one in seen[4:]] == ["FAILED", "QUEUED", "QUEUED"]
    assert seen[3]["data"]["error"] == {"code": "broken", "message": "it broke"}


async def test_a_pending_object_is_waited_for(parts: Parts, world: World, submit: Submit) -> None:
    world.is_deciding = False
    object_id = (await submit())["object_id"]
    found = await parts.lookup.get("default", object_id)
    frames = follow(parts, found, 0)
    assert await anext(frames) == OPENING
    first = asyncio.create_task(anext(frames))
    while not world.reads:
        await asyncio.sleep(0)
    world.decide_all()
    assert parsed(await first)["event"] == "ObjectSubmitted"
    await frames.aclose()
    assert parts.hub.watchers == 0


async def test_progress_is_told_between_events_and_has_no_id(parts: Parts, world: World, object_id: str) -> None:
    client = Client(parts, world, object_id)
    start(world, object_id)
    assert [await client.next_id() for _ in range(3)] == [1, 2, 3]
    client.subscription.offer(running(object_id, attempt=1, percent=40.0))
    frame = parsed(await client.next())
    assert "id" not in frame
    assert frame["event"] == "progress"
    assert frame["data"] == {
        "object_id": object_id,
        "identifier": "my-object",
        "state": "PROCESSING",
        "version": 3,
        "progress": 40.0,
        "event": "progress",
        "operation": "validate",
        "attempt": 1,
        "percent": 40.0,
    }


async def test_progress_that_comes_too_late_is_passed_over(parts: Parts, world: World, object_id: str) -> None:
    client = Client(parts, world, object_id)
    assert [await client.next_id(), await client.next_id()] == [1, 2]
    client.subscription.offer(running(object_id, attempt=1, percent=40.0))  # nothing runs yet
    start(world, object_id)
    client.subscription.offer(told_of(world, object_id)[-1])
    client.subscription.offer(running(object_id, attempt=0, percent=90.0))
    client.subscription.offer(running(object_id, attempt=1, percent=50.0))
    assert await client.next_id() == 3
    assert parsed(await client.next())["data"]["percent"] == 50.0


async def test_silence_is_filled_with_keep_alives(
    parts: Parts, world: World, object_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_stream, "KEEP_ALIVE_S", 0.001)
    client = Client(parts, world, object_id, last=2)
    assert await client.next() == KEEP_ALIVE


async def test_a_database_that_is_away_is_waited_for(
    parts: Parts, world: World, object_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_stream, "PAUSE_S", 0.0)
    client = Client(parts, world, object_id)
    world.go_away()
    assert [await client.next(), await client.next()] == [KEEP_ALIVE, KEEP_ALIVE]
    world.is_away = False
    while (frame := await client.next()) == KEEP_ALIVE:
        pass
    assert parsed(frame)["id"] == "1"


async def test_a_stopping_server_ends_its_streams(parts: Parts, object_id: str) -> None:
    found = await parts.lookup.get("default", object_id)
    frames: AsyncGenerator[bytes, None] = follow(parts, found, 2)
    reading = asyncio.create_task(collect(frames))
    while not parts.hub.watchers:
        await asyncio.sleep(0)
    parts.hub.close()
    assert ids(await reading) == []
    assert parts.hub.watchers == 0


async def collect(frames: AsyncGenerator[bytes, None]) -> list[bytes]:
    return [frame async for frame in frames]


def running(object_id: str, *, attempt: int, percent: float) -> RunningProgress:
    return RunningProgress(
        tenant="default",
        object_id=object_id,
        identifier="my-object",
        operation="validate",
        attempt=attempt,
        percent=percent,
    )
