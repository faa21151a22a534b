"""The events of one object as server-sent events: each once, in order, without a gap, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from objproc.domain.events import OperationStarted
from objproc.domain.processing_object import Aggregate
from objproc.domain.state_machine import TERMINAL
from objproc.errors import TransientError
from objproc.feed import FeedCommit, FeedEvent, RunningProgress, fold_for_feed
from objproc.telemetry import Log
from objproc_api.feed import Subscription
from objproc_api.outcomes import read_commits
from objproc_api.ports import HistoryPort

KEEP_ALIVE_S = 10.0
PAUSE_S = 0.5
KEEP_ALIVE = b": keep-alive\n\n"
OPENING = b"retry: 1000\n\n"

log = Log("object_stream")


class ObjectStream:
    """One client's stream. It begins with PostgreSQL and goes on with the feed; versions join the two.

    The feed never brings what PostgreSQL does not show yet, so a client that asks after an event finds it.
    """

    def __init__(self, history: HistoryPort, object_id: str, operations: int, last_version: int) -> None:
        self._history = history
        self._object_id = object_id
        self._operations = operations
        self._last_version = last_version
        self._folded: Aggregate | None = None
        self._folded_version = 0
        self._newest: FeedEvent | None = None
        self._running: dict[str, tuple[int, float]] = {}

    @property
    def is_over(self) -> bool:
        """True where the newest event known leads to a terminal state."""
        return self._newest is not None and self._newest.state in TERMINAL

    async def frames(self, subscription: Subscription) -> AsyncIterator[bytes]:
        """The frames, until the object's newest state is terminal or the server stops."""
        yield OPENING
        while not subscription.is_closed:
            try:
                if subscription.is_behind:
                    subscription.catch_up()
                    for frame in await self._from_history():
                        yield frame
                elif (item := await subscription.next(KEEP_ALIVE_S)) is not None:
                    for frame in self._from_feed(item, subscription):
                        yield frame
                elif not subscription.is_behind:
                    yield KEEP_ALIVE
            except TransientError as error:
                log.warning("stream_waits", object_id=self._object_id, reason=str(error))
                subscription.fall_behind()
                yield KEEP_ALIVE
                await asyncio.sleep(PAUSE_S)
            if self.is_over and not subscription.is_behind:
                return

    async def _from_history(self) -> list[bytes]:
        """What PostgreSQL knows beyond what was told."""
        frames: list[bytes] = []
        for commit in await read_commits(self._history, self._object_id, self._folded_version):
            self._folded, told = fold_for_feed(self._folded, commit)
            self._folded_version = commit.version_to
            frames += self._tell(told)
        return frames

    def _from_feed(self, item: FeedCommit | RunningProgress, subscription: Subscription) -> list[bytes]:
        """What the feed brings; a gap is filled from PostgreSQL."""
        if isinstance(item, RunningProgress):
            return self._tell_running(item)
        known = self._newest.version if self._newest else 0
        if item.events and item.events[0].version > known + 1:
            subscription.fall_behind()
            return []
        return self._tell(item)

    def _tell(self, commit: FeedCommit) -> list[bytes]:
        frames: list[bytes] = []
        for event in commit.events:
            if self._newest is not None and event.version <= self._newest.version:
                continue
            self._newest = event
            self._keep_running(event)
            if event.version > self._last_version:
                frames.append(event_frame(commit, event))
        return frames

    def _keep_running(self, event: FeedEvent) -> None:
        if event.operation is None:
            return
        self._running.pop(event.operation, None)
        if event.event == OperationStarted.__name__ and event.attempt is not None:
            self._running[event.operation] = (event.attempt, 0.0)

    def _tell_running(self, item: RunningProgress) -> list[bytes]:
        newest = self._newest
        attempt, _ = self._running.get(item.operation, (None, 0.0))
        if newest is None or item.attempt != attempt:
            return []  # progress travels beside the log, so it may come too late
        self._running[item.operation] = (item.attempt, item.percent)
        percent = newest.progress + sum(percent for _, percent in self._running.values()) / self._operations
        data = {
            "object_id": item.object_id,
            "identifier": item.identifier,
            "state": newest.state,
            "version": newest.version,
            "progress": round(min(100.0, percent), 1),
            "event": "progress",
            "operation": item.operation,
            "attempt": item.attempt,
            "percent": round(item.percent, 1),
        }
        return [b"event: progress\ndata: " + orjson.dumps(data) + b"\n\n"]


def event_frame(commit: FeedCommit, event: FeedEvent) -> bytes:
    """One event as a frame; its id is the object's version."""
    data: dict[str, Any] = {
        "object_id": commit.object_id,
        "identifier": commit.identifier,
        "state": event.state,
        "version": event.version,
        "progress": event.progress,
        "event": event.event,
        "at": event.at,
    }
    if event.operation is not None:
        data |= {"operation": event.operation, "attempt": event.attempt}
    if event.error is not None:
        data["error"] = {"code": event.error.code, "message": event.error.message}
    if event.retry_at is not None:
        data["retry_at"] = event.retry_at
    head = f"id: {event.version}\nevent: {event.event}\ndata: ".encode()
    return head + orjson.dumps(data, option=orjson.OPT_UTC_Z) + b"\n\n"
