"""What a watcher gets to see, and how it asks again."""

from __future__ import annotations

import json

import httpx
import pytest

from client.conftest import AT_ONCE
from objproc_client.errors import NotFoundError, ProtocolError, UnreachableError
from objproc_client.feed import Feed, order_of


def frame(event_id: str, state: str = "PROCESSING", event: str = "OperationStarted") -> bytes:
    """Write one event."""
    data = json.dumps({"object_id": "o", "state": state})
    return f"id: {event_id}\nevent: {event}\ndata: {data}\n\n".encode()


def feed(last_event_id: str | None = None) -> Feed:
    """Begin to watch."""
    feed = Feed("o", last_event_id, AT_ONCE, "http://server")
    feed.call()
    return feed


def ids(feed: Feed, *frames: bytes) -> list[str]:
    """Receive frames and name the events that came through."""
    return [event.id for frame in frames for event in feed.receive(frame)]


def asked_after(feed: Feed) -> str | None:
    """Connect again and tell from where."""
    return feed.call().headers.get("Last-Event-ID")


def response(status: int, **headers: str) -> httpx.Response:
    """Make an answer."""
    return httpx.Response(status, headers=headers, json={}, request=httpx.Request("GET", "http://server/"))


def test_the_first_connection_asks_for_everything() -> None:
    assert asked_after(feed()) is None


def test_a_lost_connection_is_resumed_after_the_last_event() -> None:
    watching = feed()
    ids(watching, frame("1"), frame("2"))
    watching.lost(httpx.ReadError("gone"))
    assert asked_after(watching) == "2"


def test_events_that_come_again_are_dropped() -> None:
    watching = feed("2")
    assert ids(watching, frame("1"), frame("2"), frame("3")) == ["3"]


def test_events_at_positions_that_come_again_are_dropped() -> None:
    watching = feed("3:10")
    assert ids(watching, frame("3:9"), frame("3:11")) == ["3:11"]


def test_several_events_of_one_id_in_one_connection_all_count() -> None:
    assert ids(feed(), frame("4"), frame("4")) == ["4", "4"]


def test_progress_is_never_taken_for_a_repeat() -> None:
    watching = feed("2")
    assert ids(watching, frame("2", event="progress")) == ["2"]


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED", "DELETED"])
def test_a_close_after_a_terminal_event_is_the_end(state: str) -> None:
    watching = feed()
    assert ids(watching, frame("1", state), frame("1", event="progress")) == ["1", "1"]
    assert (watching.closed(), watching.is_over) == (0.0, True)


def test_a_terminal_event_in_the_middle_of_the_history_is_not_the_end() -> None:
    watching = feed()
    assert ids(watching, frame("1", "FAILED"), frame("2")) == ["1", "2"]
    watching.closed()
    assert not watching.is_over


def test_a_connection_lost_after_a_terminal_event_is_resumed() -> None:
    watching = feed()
    ids(watching, frame("1", "FAILED"))
    watching.lost(httpx.ReadError("gone"))
    assert (watching.is_over, asked_after(watching)) == (False, "1")


def test_after_a_connection_without_news_everything_is_asked_for_once_more() -> None:
    watching = feed("2")
    watching.closed()
    assert asked_after(watching) is None
    assert ids(watching, frame("1"), frame("2", "COMPLETED")) == []
    watching.closed()
    assert watching.is_over


def test_after_a_close_with_news_the_feed_resumes() -> None:
    watching = feed()
    ids(watching, frame("1"))
    watching.closed()
    assert asked_after(watching) == "1"


def test_a_server_that_never_tells_is_given_up() -> None:
    watching = feed()
    for _ in range(AT_ONCE.attempts_max - 1):
        watching.closed()
    with pytest.raises(UnreachableError):
        watching.closed()


def test_news_makes_earlier_failures_forgotten() -> None:
    watching = feed()
    for number in range(AT_ONCE.attempts_max * 3):
        ids(watching, frame(str(number)))
        watching.lost(httpx.ReadError("gone"))
        watching.call()


def test_the_server_can_ask_for_a_longer_pause() -> None:
    watching = feed()
    watching.receive(b"retry: 2500\n\n")
    assert watching.lost(httpx.ReadError("gone")) >= 2.5


def test_a_refusal_is_an_error() -> None:
    with pytest.raises(NotFoundError):
        feed().opened(response(404))


def test_a_transient_refusal_is_a_pause() -> None:
    assert feed().opened(response(503)) == 0.0


def test_an_answer_that_is_no_stream_is_refused() -> None:
    with pytest.raises(ProtocolError, match="does not stream"):
        feed().opened(response(200))


@pytest.mark.parametrize("data", [b"data: no json\n\n", b"data: 7\n\n", b"data: {}\n\n"])
def test_an_event_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        feed().receive(data)


@pytest.mark.parametrize("event_id", [None, "", "a", "1:", "²", "-1"])
def test_ids_without_an_order_are_not_compared(event_id: str | None) -> None:
    assert order_of(event_id) is None


def test_progress_of_an_earlier_version_is_outdated() -> None:
    data = json.dumps({"object_id": "o", "state": "PROCESSING", "version": 1}).encode()
    assert feed("2").receive(b"event: progress\ndata: " + data + b"\n\n") == []
