"""One sample of everything that travels, every field filled, and how each is written and read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from objproc.domain import commands, events
from objproc.domain.content import Artifact, Content, Failure, PlannedOperation
from objproc.domain.partition_record import PartitionRecord
from objproc.domain.processing_object import ProcessingObject, Stamp, StoredContent, fold
from objproc.domain.tasks import Task
from objproc.feed import FeedCommit, FeedEvent, RunningProgress, decode_feed, encode_feed
from objproc.wire import codec
from objproc.wire.envelope import GENESIS, Origin

GOLDEN = Path(__file__).parent / "golden"

OBJECT = "01980000-0000-7000-8000-000000000001"
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)
ORIGIN = Origin(
    cause="command-1",
    correlation_id="correlation-1",
    actor="somebody",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
CONTENT = Content(
    sha256="ab" * 32, size=11, media_type="text/csv", name="täble.csv", inline="a,b\n1,2\n😀,\x00", is_upload=True
)
ARTIFACT = Artifact(name="clean", media_type="application/json", size=5_000_000_000, sha256="cd" * 32)
FAILURE = Failure(code="bad_content", message="line 3: not a number", operation="validate")
PLANNED = PlannedOperation(
    type="transform",
    requires=("validate",),
    version="2",
    pool="large",
    attempts_max=5,
    deadline_ms=60_000,
    params={"depth": 3, "ratio": 0.5, "names": ["x", None, True], "nested": {"ä": -1}},
)
PLAN = (PlannedOperation(type="validate"), PLANNED)
METADATA = {"owner": "me", "counts": [1, 2.5, None]}
SUMMARY = {"rows": 12, "valid": True}
WHO = {"object_id": OBJECT, "operation": "validate", "attempt": 2}

REQUEST: dict[str, Any] = {
    "tenant": "acme",
    "identifier": "my object/ü",
    "plan": PLAN,
    "content": CONTENT,
    "fingerprint": "ef" * 32,
    "correlation_id": "correlation-1",
    "traceparent": ORIGIN.traceparent,
    "metadata": METADATA,
    "tags": ("one", "two"),
    "priority": -3,
    "not_before": LATER,
}
STORED = {"tenant": "acme", "identifier": "my object/ü", "content": CONTENT}

COMMANDS: list[commands.Command] = [
    commands.ProcessObject(object_id=OBJECT, **REQUEST),
    commands.CancelObject(object_id=OBJECT, command_id="c"),
    commands.RetryObject(object_id=OBJECT, command_id="c", content=CONTENT),
    commands.DeleteObject(object_id=OBJECT, command_id="c", is_forced=True),
    commands.StoreContent(object_id=OBJECT, **STORED),
]
REPORTS: list[commands.Report] = [
    commands.TaskStarted(**WHO, worker="w", at=AT),
    commands.TaskSucceeded(**WHO, worker="w", started_at=AT, artifacts=(ARTIFACT,), summary=SUMMARY),
    commands.TaskFailed(**WHO, worker="w", started_at=AT, failure=FAILURE, is_retryable=True),
    commands.TaskStopped(**WHO),
    commands.TaskHandedBack(**WHO, worker="w"),
]
TASK = Task(
    **WHO,
    tenant="acme",
    identifier="my object/ü",
    version="2",
    params=PLANNED.params,
    deadline_ms=60_000,
    content=CONTENT,
    inputs=(ARTIFACT,),
)
RUN = {"operation": "validate", "attempt": 2}
EVENTS: list[events.Event] = [
    events.ObjectSubmitted(**REQUEST),
    events.OperationQueued(**RUN),
    events.OperationStarted(**RUN, worker="w", at=AT),
    events.OperationSucceeded(**RUN, artifacts=(ARTIFACT,), summary=SUMMARY),
    events.OperationRetryScheduled(**RUN, failure=FAILURE, retry_at=LATER),
    events.OperationFailed(**RUN, failure=FAILURE),
    events.OperationSkipped(operation="transform", cause="validate"),
    events.OperationCancelled(**RUN),
    events.TaskTakenOver(**RUN, worker="w"),
    events.TaskHandedBack(**RUN, worker="w"),
    events.StaleResultRejected(**RUN, current_attempt=3),
    events.CancelRequested(command_id="c", then_delete=True),
    events.ObjectRetried(command_id="c", operations=("validate", "transform"), content=CONTENT),
    events.ObjectCompleted(),
    events.ObjectFailed(failure=FAILURE),
    events.ObjectCancelled(),
    events.ObjectDeleted(command_id="c"),
    events.CommandRejected(command_id="c", command="CancelObject", code="object_finished", detail="it is done"),
    events.ContentStored(**STORED),
    events.TaskReissued(**RUN),
    events.LogRepaired(
        partition=5, found_seq=7, restored_seq=9, commits_dropped=1, commands_resubmitted=2, tasks_reissued=3
    ),
]
AGGREGATE = fold(
    None,
    OBJECT,
    [
        events.ObjectSubmitted(**REQUEST),
        events.OperationQueued(operation="validate", attempt=1),
        events.OperationStarted(operation="validate", attempt=1, worker="w", at=AT),
        events.OperationRetryScheduled(operation="validate", attempt=1, failure=FAILURE, retry_at=LATER),
        events.OperationQueued(**RUN),
        events.OperationStarted(**RUN, worker="w", at=AT),
        events.OperationSucceeded(**RUN, artifacts=(ARTIFACT,), summary=SUMMARY),
        events.CancelRequested(command_id="c", then_delete=True),
    ],
    Stamp(7, AT),
)
assert isinstance(AGGREGATE, ProcessingObject)
STORED_CONTENT = StoredContent(object_id=OBJECT, **STORED, version=3, seq=9, updated_at=AT)
RECORD = PartitionRecord(
    object_id=OBJECT, tenant="system", identifier="partition-5", version=2, seq=9, repairs=2, updated_at=AT
)
FEED_COMMIT = FeedCommit(
    partition=3,
    seq=7,
    tenant="acme",
    object_id=OBJECT,
    identifier="my object/ü",
    cause="command-1",
    events=[
        FeedEvent(
            version=4,
            event="OperationRetryScheduled",
            state="PROCESSING",
            progress=33.3,
            at=AT,
            operation="validate",
            attempt=2,
            error=FAILURE,
            retry_at=LATER,
        ),
        FeedEvent(version=5, event="ObjectCompleted", state="COMPLETED", progress=100.0, at=AT),
    ],
)
PROGRESS = RunningProgress(
    tenant="acme", object_id=OBJECT, identifier="my object/ü", operation="validate", attempt=2, percent=12.5
)


def commit_of(*facts: events.Event) -> bytes:
    """The bytes of a commit with these events."""
    body, _ = codec.encode_commit(
        partition=3,
        seq=1042,
        prev=GENESIS,
        object_id=OBJECT,
        version_from=4,
        origin=ORIGIN,
        at=AT,
        events=facts,
    )
    return body


def message_of(message: Any) -> bytes:
    """The bytes of a command, report or task."""
    return codec.encode_message(message, ORIGIN, AT)


Read = Callable[[bytes], Any]


def samples() -> dict[str, tuple[bytes, Read, Any]]:
    """By the golden file's name: bytes as they are written now, how they are read, and what that must give."""

    def facts(body: bytes) -> Any:
        return codec.decode_commit(body).events

    found: dict[str, tuple[bytes, Read, Any]] = {
        "task": (message_of(TASK), codec.decode_task, (TASK, ORIGIN)),
        "commit": (commit_of(*EVENTS[:5]), facts, tuple(EVENTS[:5])),
        "aggregate-object": (codec.encode_aggregate(AGGREGATE), codec.decode_object, AGGREGATE),
        "aggregate-content": (codec.encode_aggregate(STORED_CONTENT), codec.decode_content, STORED_CONTENT),
        "aggregate-record": (codec.encode_aggregate(RECORD), codec.decode_record, RECORD),
        "feed-commit": (encode_feed(FEED_COMMIT), decode_feed, FEED_COMMIT),
        "feed-progress": (encode_feed(PROGRESS), decode_feed, PROGRESS),
    }
    for command in COMMANDS:
        name = f"command-{type(command).__name__}"
        found[name] = message_of(command), codec.decode_command, (command, ORIGIN)
    for report in REPORTS:
        name = f"report-{type(report).__name__}"
        found[name] = message_of(report), codec.decode_report, (report, ORIGIN)
    for event in EVENTS:
        found[f"event-{type(event).__name__}"] = commit_of(event), facts, (event,)
    return found
