"""The same cases for the synchronous and the asynchronous client, against a server on a real port."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from client.conftest import AT_ONCE
from client.fake_server import PLAN, FakeServer
from objproc_client import (
    AddressError,
    Client,
    ConflictError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    UnavailableError,
    UnreachableError,
)
from objproc_client.calls import segment


def test_a_submission_names_the_object_and_its_plan(client: Any, server: FakeServer) -> None:
    submission = client.process("a.csv", ["analyze"])
    assert (submission.identifier, submission.state, submission.plan) == ("a.csv", "PENDING", PLAN)
    assert server.bodies == [{"identifier": "a.csv", "operations": ["analyze"]}]


def test_every_option_goes_where_the_contract_says(client: Any, server: FakeServer) -> None:
    moment = datetime(2030, 1, 2, tzinfo=UTC)
    client.process("a", "analyze", data=None, params={"x": {"y": 1}}, tags=["t"], not_before=moment, priority=3)
    assert server.bodies == [
        {
            "identifier": "a",
            "operations": ["analyze"],
            "data": None,
            "params": {"x": {"y": 1}},
            "tags": ["t"],
            "not_before": "2030-01-02T00:00:00Z",
            "priority": 3,
        }
    ]


def test_a_submission_that_waits_brings_the_finished_object(client: Any, server: FakeServer) -> None:
    submission = client.process("a", ["analyze"], wait_s=2.5)
    assert server.requests[-1].headers["Prefer"] == "wait=3"
    assert submission.finished.state == "COMPLETED"
    assert [artifact.name for artifact in submission.finished.artifacts] == ["profile.json", "report.html"]


def test_a_submission_whose_answer_was_lost_repeats_its_key(client: Any, server: FakeServer) -> None:
    server.faults.extend(["cut", 503, 429])
    submission = client.process("a", ["analyze"])
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert (len(server.requests), len(keys), len(server.objects)) == (4, 1, 1)
    assert submission.is_replayed


def test_two_submissions_have_two_keys(client: Any, server: FakeServer) -> None:
    first, second = client.process("a", ["analyze"]), client.process("a", ["analyze"])
    assert first.object_id != second.object_id


def test_a_key_of_the_caller_s_own_is_kept(client: Any, server: FakeServer) -> None:
    first, second = (client.process("a", ["analyze"], idempotency_key="k") for _ in range(2))
    assert (first.object_id, first.is_replayed, second.is_replayed) == (second.object_id, False, True)


def test_attempts_have_an_end(client: Any, server: FakeServer) -> None:
    server.faults.extend([503] * 99)
    with pytest.raises(UnavailableError):
        client.process("a", ["analyze"])
    assert len(server.requests) == AT_ONCE.attempts_max


def test_a_problem_tells_code_detail_and_pointers(client: Any) -> None:
    with pytest.raises(InvalidError) as caught:
        client.process("a", ["explode"])
    assert (caught.value.status, caught.value.code) == (422, "unknown_operation")
    assert str(caught.value) == "The plan cannot be made.\n  /operations/0: there is no operation 'explode'"


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_content_arrives_whole(client: Any, server: FakeServer, tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * size)
    uploaded = client.put_content("a b.csv", path)
    assert (uploaded.size, uploaded.media_type) == (size, "text/csv")
    assert server.contents == {"a b.csv": b"x" * size}
    assert server.requests[-1].headers["Content-Length"] == str(size)


def test_a_stream_arrives_whole(client: Any, server: FakeServer) -> None:
    client.put_content("a", io.BytesIO(b"x" * 1_000_000), "text/plain", name="a.txt")
    assert server.contents == {"a": b"x" * 1_000_000}


def test_an_upload_whose_answer_was_lost_is_repeated(client: Any, server: FakeServer) -> None:
    server.faults.append("cut")
    assert client.put_content("a", b"xyz").size == 3


def test_a_stream_whose_answer_was_lost_is_not_repeated(client: Any, server: FakeServer) -> None:
    server.faults.append("cut")
    with pytest.raises(UnreachableError, match="may have arrived"):
        client.put_content("a", io.BytesIO(b"xyz"))


def test_an_object_is_found_by_id_and_by_identifier(client: Any, server: FakeServer) -> None:
    found = server.submit("a/b c.csv")
    assert client.get_object("a/b c.csv") == client.get_object(found.object_id)
    assert client.progress(found.object_id).operations[0].operation == "validate"


def test_what_is_not_there_is_not_found(client: Any) -> None:
    with pytest.raises(NotFoundError, match="There is no such object"):
        client.get_object("nobody")


def test_all_pages_are_gone_through(client: Any, server: FakeServer) -> None:
    expected = [server.submit(f"n{number}").object_id for number in range(5)]
    assert [item.object_id for item in client.iterate_objects(page_items=2)] == expected
    assert len(client.list_objects(limit=2).items) == 2


def test_the_history_comes_whole_and_in_order(client: Any, server: FakeServer) -> None:
    found = server.submit("a")
    assert [event.version for event in client.events(found.object_id)] == [1, 2, 3, 4]


def test_cancel_of_a_finished_object_is_a_conflict(client: Any, server: FakeServer) -> None:
    with pytest.raises(ConflictError):
        client.cancel(server.submit("a").object_id)


def test_an_outcome_tells_whether_it_is_decided(client: Any, server: FakeServer) -> None:
    server.ending_by_identifier["a"] = None
    found = server.submit("a")
    cancelled = client.cancel(found.object_id)
    assert (cancelled.is_decided, cancelled.progress.state) == (True, "CANCELLED")
    assert not client.retry(found.object_id).is_decided


def test_an_active_object_is_deleted_by_force_only(client: Any, server: FakeServer) -> None:
    server.ending_by_identifier["a"] = None
    found = server.submit("a")
    with pytest.raises(ConflictError):
        client.delete(found.object_id)
    assert client.delete(found.object_id, force=True).progress.state == "DELETED"


def test_the_system_tells_of_itself(client: Any, server: FakeServer) -> None:
    assert client.operations()[0].accepts == ("text/csv",)
    assert client.status().backlog == 2
    assert client.health().is_healthy


def test_bad_health_is_an_answer(client: Any, server: FakeServer) -> None:
    server.is_healthy = False
    health = client.health()
    assert (health.is_healthy, health.status) == (False, "degraded")


def seen(client: Any, object_id: str, last_event_id: str | None = None) -> list[str]:
    """Watch and name the events without progress."""
    return [event.id for event in client.watch(object_id, last_event_id) if event.type != "progress"]


def test_a_watcher_sees_every_event_and_the_end(client: Any, server: FakeServer) -> None:
    events = list(client.watch(server.submit("a").object_id))
    assert [event.type for event in events if event.type != "progress"] == [
        "ObjectSubmitted",
        "OperationStarted",
        "OperationSucceeded",
        "ObjectCompleted",
    ]
    assert (events[-1].state, events[-1].progress, events[2].type) == ("COMPLETED", 100.0, "progress")


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_watcher_sees_every_event_once_across_cuts(client: Any, server: FakeServer, is_clean: bool) -> None:
    server.stream_cuts.extend([2, 0, 1])
    server.ends_streams_cleanly = is_clean
    assert seen(client, server.submit("a").object_id) == ["1", "2", "3", "4"]
    asked = [request.headers.get("Last-Event-ID") for request in server.requests]
    assert asked[:2] == [None, "2"]


def test_a_watcher_who_has_seen_everything_is_done(client: Any, server: FakeServer) -> None:
    assert seen(client, server.submit("a").object_id, "4") == []


def test_a_watcher_goes_on_from_an_event(client: Any, server: FakeServer) -> None:
    assert seen(client, server.submit("a").object_id, "2") == ["3", "4"]


def test_a_watcher_of_a_retried_object_sees_beyond_its_first_end(client: Any, server: FakeServer) -> None:
    server.ending_by_identifier["a"] = "FAILED"
    found = server.submit("a")
    found.append("ObjectRetried", "QUEUED")
    found.append("ObjectCompleted", "COMPLETED")
    assert seen(client, found.object_id) == ["1", "2", "3", "4", "5", "6"]


def test_watching_what_is_not_there_is_an_error(client: Any) -> None:
    with pytest.raises(NotFoundError):
        list(client.watch("nobody"))


def test_nobody_answers(client: Any, dead_url: str) -> None:
    with Client(dead_url, retries=AT_ONCE) as lonely:
        with pytest.raises(UnreachableError, match=dead_url):
            lonely.health()
        with pytest.raises(UnreachableError, match=dead_url):
            list(lonely.watch("o"))


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(AddressError):
        Client(url)


def test_a_page_of_another_server_is_refused(server: FakeServer) -> None:
    with Client() as client, pytest.raises(ProtocolError, match="is this an objproc server"):
        client._send(calls_to_a_page())


def calls_to_a_page() -> Any:
    """Ask for what is no JSON."""
    from objproc_client.calls import Call, json_of

    return Call(method="DELETE", path="/nowhere", read=json_of, answers_too=frozenset({404}))


@pytest.mark.parametrize(("text", "path"), [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".a", ".a"), ("ü%", "%C3%BC%25")])
def test_any_identifier_is_one_segment(text: str, path: str) -> None:
    assert segment(text) == path


def test_a_key_is_sent_as_bearer(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBJPROC_API_KEY", "secret")
    with Client() as client:
        client.health()
    assert server.requests[-1].headers["Authorization"] == "Bearer secret"
