"""Watching one object: which event is new, when to connect again and from where. Nothing here does I/O."""

from __future__ import annotations

import json

import httpx

from objproc_client.answers import FeedEvent
from objproc_client.attempts import Attempts, Retries
from objproc_client.calls import API, Call, segment
from objproc_client.errors import ProtocolError, problem_of
from objproc_client.sse import EventParser, ServerSentEvent

HEARTBEAT_S_MAX = 15.0  # the server's promise
RECONNECT_S_MAX = 30.0
MEDIA_TYPE = "text/event-stream"

Order = tuple[int, ...]


class Feed:
    """The events of one object, each once and in order, across any number of connections."""

    def __init__(self, object_id: str, last_event_id: str | None, retries: Retries, url: str) -> None:
        """Begin after `last_event_id`; without it, at the object's beginning."""
        self.is_over = False
        self._object_id = object_id
        self._seen_id = last_event_id
        self._ask_after: str | None = last_event_id
        self._attempts = Attempts(retries, url)
        self._connect()

    def call(self) -> Call[None]:
        """Describe the next connection."""
        self._connect()
        resume = {} if self._ask_after is None else {"Last-Event-ID": self._ask_after}
        return Call(
            method="GET",
            path=f"{API}/progress/{segment(self._object_id)}/stream",
            headers={"Accept": MEDIA_TYPE, "Accept-Encoding": "identity", **resume},
            patience_s=HEARTBEAT_S_MAX * 2,
            read=lambda _: None,
        )

    def opened(self, response: httpx.Response) -> float | None:
        """Take the answer's head (and, of an error, its body): None to read on, or a pause in seconds."""
        if response.is_success:
            kind = response.headers.get("Content-Type", "")
            if not kind.startswith(MEDIA_TYPE):
                raise ProtocolError(f"{response.url} does not stream events ({kind or 'no type'})")
            return None
        pause_s = self._attempts.answered(response)
        if pause_s is None:
            raise problem_of(response)
        return pause_s

    def receive(self, chunk: bytes) -> list[FeedEvent]:
        """Take bytes and return the new events."""
        fresh: list[FeedEvent] = []
        for sent in self._parser.feed(chunk):
            event = feed_event(sent)
            if event.type != "progress":  # one may be on its way still when the object ends
                self._is_at_end = event.is_last
            if not self._is_repeat(event):
                fresh.append(event)
                self._seen_id = sent.id or self._seen_id
                self._has_news = True
                self._attempts.forget_failures()
        return fresh

    def lost(self, error: httpx.RequestError) -> float:
        """Say how long to pause after a broken connection; UnreachableError when it broke too often."""
        self._ask_after = self._seen_id
        return self._attempts.lost(error, self._server_pause_s())

    def closed(self) -> float:
        """Say how long to pause after the server closed; after a terminal event that is the end.

        A terminal event alone is not: an object that was retried has one in the middle of its history. And a
        server that is asked for what follows an object's last event has nothing to send: so after a connection
        without news the next one asks for everything, and shows whether the object is over.
        """
        if self._is_at_end:
            self.is_over = True
            return 0.0
        self._ask_after = self._seen_id if self._has_news or self._ask_after is None else None
        return self._attempts.closed(self._server_pause_s())

    def _connect(self) -> None:
        self._parser = EventParser()
        self._resumed_at = order_of(self._seen_id)
        self._has_news = False
        self._is_at_end = False

    def _server_pause_s(self) -> float:
        return min(RECONNECT_S_MAX, (self._parser.retry_ms or 0) / 1000)

    def _is_repeat(self, event: FeedEvent) -> bool:
        """Whether an earlier connection brought this event; progress has no id of its own, but may be outdated."""
        if self._resumed_at is None:
            return False
        if event.type == "progress":
            return len(self._resumed_at) == 1 and event.version is not None and event.version < self._resumed_at[0]
        order = order_of(event.id)
        return order is not None and len(order) == len(self._resumed_at) and order <= self._resumed_at


def order_of(event_id: str | None) -> Order | None:
    """Read an id, a version (`7`) or a position (`3:1042`), as something that can be compared."""
    parts = (event_id or "").split(":")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else None


def feed_event(sent: ServerSentEvent) -> FeedEvent:
    """Read an event of the stream."""
    try:
        data = json.loads(sent.data)
    except ValueError:
        raise ProtocolError(f"event {sent.event!r} of the stream is no JSON: {sent.data[:100]!r}") from None
    if not isinstance(data, dict):
        raise ProtocolError(f"event {sent.event!r} of the stream is no JSON object: {sent.data[:100]!r}")
    return FeedEvent.of({**data, "id": sent.id, "type": sent.event})
