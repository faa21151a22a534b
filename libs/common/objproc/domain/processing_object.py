"""ProcessingObject: the aggregate, and `evolve`, the only way its state comes about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, assert_never

from objproc.domain.content import Artifact, Content, Failure, PlannedOperation
from objproc.domain.events import (
    CancelRequested,
    CommandRejected,
    ContentStored,
    Event,
    LogRepaired,
    ObjectCancelled,
    ObjectCompleted,
    ObjectDeleted,
    ObjectFailed,
    ObjectRetried,
    ObjectSubmitted,
    OperationCancelled,
    OperationFailed,
    OperationQueued,
    OperationRetryScheduled,
    OperationSkipped,
    OperationStarted,
    OperationSucceeded,
    StaleResultRejected,
    TaskHandedBack,
    TaskReissued,
    TaskTakenOver,
)
from objproc.domain.limits import COMMANDS_REMEMBERED_MAX
from objproc.domain.partition_record import PartitionRecord, repaired
from objproc.domain.state_machine import (
    OPERATION_TERMINAL,
    TERMINAL,
    InvalidTransitionError,
    OperationState,
    ProcessState,
    operation_state,
    process_state,
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where and when a commit stands: its number in the partition's log, and the scheduler's time (UTC)."""

    seq: int
    at: datetime


@dataclass(slots=True, kw_only=True)
class OperationRun:
    """One operation of one object: what was planned, and how far it is."""

    planned: PlannedOperation
    state: OperationState = OperationState.PENDING
    attempt: int = 0
    """Number of the newest attempt, and the fencing token; never goes back."""
    failures: int = 0
    takeovers: int = 0
    queued_seq: int = 0
    """The commit that queued the newest attempt; it names the task's entry."""
    worker: str | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    retry_at: datetime | None = None
    failure: Failure | None = None
    artifacts: tuple[Artifact, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_terminal(self) -> bool:
        """True where nothing more happens to the operation by itself."""
        return self.state in OPERATION_TERMINAL


@dataclass(slots=True, kw_only=True)
class ProcessingObject:
    """One submitted object: a fold of its events. Treated as a value: `evolve` changes copies only."""

    object_id: str
    tenant: str
    identifier: str
    content: Content
    fingerprint: str
    correlation_id: str
    traceparent: str | None = None
    runs: dict[str, OperationRun]
    """Operations by name, parents first."""
    state: ProcessState = ProcessState.PENDING
    version: int = 0
    """How many events were folded; gapless."""
    seq: int = 0
    """Number of the newest commit that was folded."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    priority: int = 0
    not_before: datetime | None = None
    failure: Failure | None = None
    is_cancelling: bool = False
    delete_command_id: str | None = None
    """The command that wants the object deleted once nothing of it runs."""
    handled: tuple[str, ...] = ()
    """The newest inputs that must not count twice: command ids, and attempts rejected as stale."""
    submitted_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        """True where nothing more happens to the object by itself."""
        return self.state in TERMINAL

    @property
    def is_deleting(self) -> bool:
        """True where the end of the cancellation is a deletion."""
        return self.delete_command_id is not None

    @property
    def percent(self) -> float:
        """Share of the operations that are done, 0.0 to 100.0."""
        done = sum(run.is_terminal for run in self.runs.values())
        return round(100.0 * done / len(self.runs), 1)

    def touch(self, operation: str) -> OperationRun:
        """A copy of the operation's run, put in the place of the old one."""
        run = self.runs[operation] = copy_of(self.runs[operation])
        return run

    def remember(self, key: str) -> None:
        """Keep `key` among the handled inputs; the oldest goes."""
        self.handled = (*self.handled, key)[-COMMANDS_REMEMBERED_MAX:]


@dataclass(slots=True, kw_only=True)
class StoredContent:
    """What an identifier means when a request brings no content of its own."""

    object_id: str
    tenant: str
    identifier: str
    content: Content
    version: int = 0
    seq: int = 0
    updated_at: datetime


Aggregate = ProcessingObject | StoredContent | PartitionRecord
T = TypeVar("T", OperationRun, ProcessingObject)


def copy_of(value: T) -> T:
    """A shallow copy of a slotted value: a fifth of the time of dataclasses.replace."""
    twin = object.__new__(type(value))
    for name in value.__slots__:
        setattr(twin, name, getattr(value, name))
    return twin


def draft_of(value: ProcessingObject) -> ProcessingObject:
    """A copy that `apply` may change while the original stays as it is."""
    draft = copy_of(value)
    draft.runs = dict(value.runs)
    return draft


def evolve(current: Aggregate | None, object_id: str, event: Event, stamp: Stamp) -> Aggregate:
    """The state after `event`; `current` stays as it was. InvalidTransitionError for an impossible history."""
    if isinstance(current, ProcessingObject):
        current = draft_of(current)
    return apply(current, object_id, event, stamp)


def fold(current: Aggregate | None, object_id: str, events: Iterable[Event], stamp: Stamp) -> Aggregate:
    """The state after all `events` of one commit; `current` stays as it was."""
    if isinstance(current, ProcessingObject):
        current = draft_of(current)
    for event in events:
        current = apply(current, object_id, event, stamp)
    if current is None:
        raise InvalidTransitionError("a commit without events")
    return current


def apply(current: Aggregate | None, object_id: str, event: Event, stamp: Stamp) -> Aggregate:
    """Put `event` into a draft of the state and return it."""
    match event:
        case ObjectSubmitted():
            if current is not None:
                raise InvalidTransitionError(f"object {object_id} was submitted twice")
            return submitted(object_id, event, stamp)
        case ContentStored():
            version = 1 if current is None else current.version + 1
            return StoredContent(
                object_id=object_id,
                tenant=event.tenant,
                identifier=event.identifier,
                content=event.content,
                version=version,
                seq=stamp.seq,
                updated_at=stamp.at,
            )
        case LogRepaired():
            before = current if isinstance(current, PartitionRecord) else None
            return repaired(before, object_id, event, stamp.seq, stamp.at)
    if not isinstance(current, ProcessingObject):
        raise InvalidTransitionError(f"{type(event).__name__} for {object_id}, which was never submitted")
    if isinstance(event, EventOfOperation):
        apply_to_operation(current, event, stamp)
    else:
        apply_to_object(current, event, stamp)
    current.version += 1
    current.seq = stamp.seq
    current.updated_at = stamp.at
    return current


def submitted(object_id: str, event: ObjectSubmitted, stamp: Stamp) -> ProcessingObject:
    """The first state of an object."""
    return ProcessingObject(
        object_id=object_id,
        tenant=event.tenant,
        identifier=event.identifier,
        content=event.content,
        fingerprint=event.fingerprint,
        correlation_id=event.correlation_id,
        traceparent=event.traceparent,
        runs={planned.type: OperationRun(planned=planned) for planned in event.plan},
        state=process_state(ProcessState.PENDING, ProcessState.QUEUED),
        version=1,
        seq=stamp.seq,
        metadata=event.metadata,
        tags=event.tags,
        priority=event.priority,
        not_before=event.not_before,
        submitted_at=stamp.at,
        updated_at=stamp.at,
    )


EventOfOperation = (
    OperationQueued
    | OperationStarted
    | OperationSucceeded
    | OperationRetryScheduled
    | OperationFailed
    | OperationSkipped
    | OperationCancelled
    | TaskTakenOver
    | TaskHandedBack
    | TaskReissued
)
EventOfObject = (
    StaleResultRejected
    | CancelRequested
    | ObjectRetried
    | ObjectCompleted
    | ObjectFailed
    | ObjectCancelled
    | ObjectDeleted
    | CommandRejected
)


def apply_to_operation(draft: ProcessingObject, event: EventOfOperation, stamp: Stamp) -> None:
    """What an event about one operation changes."""
    match event:
        case OperationQueued():
            run = move(draft, event.operation, OperationState.QUEUED)
            run.attempt, run.queued_seq, run.queued_at = event.attempt, stamp.seq, stamp.at
            run.worker = run.started_at = run.finished_at = run.retry_at = None
        case OperationStarted():
            run = move(draft, event.operation, OperationState.RUNNING)
            run.worker, run.started_at = event.worker, event.at
            taken_up(draft)
        case OperationSucceeded():
            run = move(draft, event.operation, OperationState.SUCCEEDED, stamp)
            run.artifacts, run.summary, run.failure = event.artifacts, event.summary, None
        case OperationRetryScheduled():
            run = move(draft, event.operation, OperationState.RETRYING)
            run.failures += 1
            run.failure, run.retry_at = event.failure, event.retry_at
        case OperationFailed():
            run = move(draft, event.operation, OperationState.FAILED, stamp)
            run.failures += 1
            run.failure = event.failure
        case OperationSkipped():
            move(draft, event.operation, OperationState.SKIPPED, stamp)
        case OperationCancelled():
            move(draft, event.operation, OperationState.CANCELLED, stamp)
        case TaskTakenOver():
            draft.touch(event.operation).takeovers += 1
            taken_up(draft)
        case TaskHandedBack() | TaskReissued():
            taken_up(draft)
        case _:
            assert_never(event)


def taken_up(draft: ProcessingObject) -> None:
    """A worker has had one of the object's tasks."""
    if draft.state is ProcessState.QUEUED:
        draft.state = process_state(draft.state, ProcessState.PROCESSING)


def apply_to_object(draft: ProcessingObject, event: EventOfObject, stamp: Stamp) -> None:
    """What an event about the whole object changes."""
    match event:
        case StaleResultRejected():
            draft.remember(f"{event.operation}:{event.attempt}")
        case CancelRequested():
            draft.remember(event.command_id)
            draft.is_cancelling = True
            if event.then_delete and draft.delete_command_id is None:
                draft.delete_command_id = event.command_id
        case ObjectRetried():
            draft.remember(event.command_id)
            restart(draft, event)
        case ObjectCompleted():
            finish(draft, ProcessState.COMPLETED, stamp)
        case ObjectFailed():
            finish(draft, ProcessState.FAILED, stamp)
            draft.failure = event.failure
        case ObjectCancelled():
            finish(draft, ProcessState.CANCELLED, stamp)
            draft.is_cancelling = False
        case ObjectDeleted():
            draft.remember(event.command_id)
            draft.state = process_state(draft.state, ProcessState.DELETED)
            forget(draft)
        case CommandRejected():
            draft.remember(event.command_id)
        case _:
            assert_never(event)


def move(draft: ProcessingObject, operation: str, state: OperationState, stamp: Stamp | None = None) -> OperationRun:
    """The operation's run in its next state; `stamp` where that ends it."""
    run = draft.touch(operation)
    run.state = operation_state(run.state, state)
    if stamp is not None:
        run.finished_at, run.retry_at = stamp.at, None
    return run


def finish(draft: ProcessingObject, state: ProcessState, stamp: Stamp) -> None:
    """The object in its terminal state."""
    draft.state = process_state(draft.state, state)
    draft.finished_at = stamp.at


def restart(draft: ProcessingObject, event: ObjectRetried) -> None:
    """The named operations anew; attempts go on counting, because they fence."""
    draft.state = process_state(draft.state, ProcessState.QUEUED)
    draft.failure = draft.finished_at = None
    draft.content = event.content or draft.content
    for operation in event.operations:
        run = move(draft, operation, OperationState.PENDING)
        run.failures = run.takeovers = 0
        run.failure = run.worker = run.started_at = run.finished_at = run.queued_at = run.retry_at = None
        run.artifacts, run.summary = (), {}


def forget(draft: ProcessingObject) -> None:
    """The audit skeleton: names, digests and times stay; what the content said goes."""
    draft.delete_command_id = None
    draft.metadata, draft.tags = {}, ()
    content = draft.content
    draft.content = Content(sha256=content.sha256, size=content.size, media_type=content.media_type, name=content.name)
    for operation in draft.runs:
        run = draft.touch(operation)
        run.artifacts, run.summary = (), {}
