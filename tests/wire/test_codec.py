"""Refusals of the codec, upcasts, and the hash chain."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from objproc.domain.events import Event, ObjectCompleted, OperationQueued, OperationSkipped
from objproc.errors import PermanentError
from objproc.feed import decode_feed
from objproc.wire import codec, upcasts
from objproc.wire.envelope import GENESIS, WireError
from wire.samples import AT, COMMANDS, OBJECT, ORIGIN, REPORTS, TASK, commit_of, message_of

DECODERS: list[Callable[[bytes], Any]] = [
    codec.decode_command,
    codec.decode_report,
    codec.decode_task,
    codec.decode_commit,
    codec.decode_object,
    codec.decode_content,
    codec.decode_record,
    decode_feed,
]
NONSENSE = [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"type":', b'{"type":"Nothing"}', b"[" * 100_000, b'"\\ud800"']


def changed(body: bytes, **changes: Any) -> bytes:
    """The JSON document with other values at the top."""
    return json.dumps(json.loads(body) | changes).encode()


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_is_refused_as_a_wire_error(decode: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


def test_a_wire_error_is_permanent_because_repeating_changes_nothing() -> None:
    assert issubclass(WireError, PermanentError)


MESSAGES = {
    "command": (message_of(COMMANDS[0]), codec.decode_command),
    "report": (message_of(REPORTS[0]), codec.decode_report),
    "task": (message_of(TASK), codec.decode_task),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_of_an_unknown_type_is_refused(kind: str) -> None:
    body, decode = MESSAGES[kind]
    with pytest.raises(WireError, match="message Nothing version 1 is unknown here"):
        decode(changed(body, type="Nothing"))


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_of_a_version_to_come_is_refused(kind: str) -> None:
    body, decode = MESSAGES[kind]
    with pytest.raises(WireError, match="version 2 is unknown here"):
        decode(changed(body, v=2))


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_with_wrong_data_is_refused(kind: str) -> None:
    body, decode = MESSAGES[kind]
    with pytest.raises(WireError, match="not a"):
        decode(changed(body, data={"object_id": 1}))


@pytest.mark.parametrize(("left", "right"), list(itertools.permutations(MESSAGES, 2)))
def test_a_message_of_one_kind_is_none_of_another(left: str, right: str) -> None:
    with pytest.raises(WireError):
        MESSAGES[right][1](MESSAGES[left][0])


@pytest.mark.parametrize("kind", MESSAGES)
def test_data_nested_too_deeply_is_refused(kind: str) -> None:
    body, decode = MESSAGES[kind]
    deep = b"[" * 50_000 + b"]" * 50_000
    with pytest.raises(WireError):
        decode(body.replace(b'"data":{', b'"data":{"deep":' + deep + b",", 1))


@pytest.mark.parametrize("kind", MESSAGES)
def test_data_that_is_no_utf8_is_refused(kind: str) -> None:
    body, decode = MESSAGES[kind]
    with pytest.raises(WireError):
        decode(body.replace(OBJECT.encode(), b"\xff\xfe"))


# ---- commits ----


def with_event(**changes: Any) -> bytes:
    document = json.loads(commit_of(ObjectCompleted()))
    document["events"][0] |= changes
    return json.dumps(document).encode()


def test_a_commit_of_a_version_to_come_is_refused() -> None:
    with pytest.raises(WireError, match="commit version 2 is unknown here"):
        codec.decode_commit(changed(commit_of(ObjectCompleted()), v=2))


def test_an_event_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(WireError, match="event ObjectEaten version 1 is unknown here"):
        codec.decode_commit(with_event(type="ObjectEaten"))


def test_an_event_of_a_version_to_come_is_refused() -> None:
    with pytest.raises(WireError, match="event ObjectCompleted version 2 is unknown here"):
        codec.decode_commit(with_event(v=2))


def test_an_event_with_wrong_data_is_refused() -> None:
    with pytest.raises(WireError, match="not a commit"):
        codec.decode_commit(with_event(type="OperationQueued", data={"operation": "a"}))


def test_a_commit_says_what_it_was_written_with() -> None:
    events: tuple[Event, ...] = (OperationQueued(operation="a", attempt=1), OperationSkipped(operation="b", cause="a"))
    body = commit_of(*events)
    commit = codec.decode_commit(body)
    assert (commit.partition, commit.seq, commit.prev, commit.object_id) == (3, 1042, GENESIS, OBJECT)
    assert (commit.version_from, commit.version_to) == (4, 5)
    assert (commit.origin, commit.at, commit.events, commit.body) == (ORIGIN, AT, events, body)


def test_the_hash_of_a_commit_is_that_of_its_very_bytes() -> None:
    body = commit_of(ObjectCompleted())
    assert codec.decode_commit(body).hash == codec.hash_of(body) == hashlib.sha256(body).hexdigest()


def test_commits_are_chained_by_their_hashes() -> None:
    prev, bodies = GENESIS, []
    for seq in range(1, 4):
        body, digest = codec.encode_commit(
            partition=0,
            seq=seq,
            prev=prev,
            object_id=OBJECT,
            version_from=seq,
            origin=ORIGIN,
            at=AT,
            events=(ObjectCompleted(),),
        )
        bodies.append(body)
        prev = digest
    commits = [codec.decode_commit(body) for body in bodies]
    assert [commit.prev for commit in commits] == [GENESIS, commits[0].hash, commits[1].hash]


def test_a_flipped_byte_breaks_the_chain() -> None:
    body = commit_of(ObjectCompleted())
    flipped = body.replace(b"somebody", b"somebodx")
    assert codec.decode_commit(flipped).hash != codec.decode_commit(body).hash


# ---- upcasts ----


@pytest.fixture
def renamed_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if OperationSkipped had been written with `because` in version 1 and `reason` in version 2; 3 is today's."""
    monkeypatch.setattr(upcasts, "_upcasts", {})
    monkeypatch.setitem(upcasts.VERSIONS, "OperationSkipped", 3)

    @upcasts.upcast("OperationSkipped", 1)
    def _because_became_reason(data: upcasts.Data) -> upcasts.Data:
        return {"operation": data["operation"], "reason": data["because"]}

    @upcasts.upcast("OperationSkipped", 2)
    def _reason_became_cause(data: upcasts.Data) -> upcasts.Data:
        return {"operation": data["operation"], "cause": data["reason"]}


OLD = [
    (1, {"operation": "b", "because": "a"}),
    (2, {"operation": "b", "reason": "a"}),
    (3, {"operation": "b", "cause": "a"}),
]


@pytest.mark.usefixtures("renamed_field")
@pytest.mark.parametrize(("version", "data"), OLD)
def test_an_old_version_is_lifted_step_by_step_while_reading(version: int, data: dict[str, str]) -> None:
    commit = codec.decode_commit(with_event(type="OperationSkipped", v=version, data=data))
    assert commit.events == (OperationSkipped(operation="b", cause="a"),)


@pytest.mark.usefixtures("renamed_field")
def test_an_event_is_written_in_its_current_version() -> None:
    body = commit_of(OperationSkipped(operation="b", cause="a"))
    assert json.loads(body)["events"][0] == {
        "type": "OperationSkipped",
        "v": 3,
        "data": {"operation": "b", "cause": "a"},
    }


def test_an_old_version_without_an_upcast_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upcasts.VERSIONS, "ObjectCompleted", 2)
    with pytest.raises(WireError, match="no upcast for event ObjectCompleted version 1"):
        codec.decode_commit(with_event(v=1))


@pytest.mark.usefixtures("renamed_field")
def test_an_old_version_that_was_never_written_like_this_is_refused() -> None:
    with pytest.raises(WireError):
        codec.decode_commit(with_event(type="OperationSkipped", v=2, data={"operation": "b", "reason": 7}))
