"""decide: what happens because of an input. Pure and total; a repeated input yields nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from objproc.domain import events as facts
from objproc.domain.commands import (
    CancelObject,
    DeleteObject,
    Input,
    ProcessObject,
    RepairLog,
    RetryObject,
    StoreContent,
    TaskFailed,
    TaskHandedBack,
    TaskLost,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TimeReached,
    WorkerLost,
)
from objproc.domain.content import Failure
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
    TaskReissued,
    TaskTakenOver,
)
from objproc.domain.limits import TAKEOVERS_MAX
from objproc.domain.processing_object import (
    Aggregate,
    OperationRun,
    ProcessingObject,
    Stamp,
    StoredContent,
    apply,
    draft_of,
)
from objproc.domain.retry import backoff
from objproc.domain.state_machine import OPERATION_WITH_WORKER, OperationState, ProcessState


@dataclass(frozen=True, slots=True)
class Decision:
    """The events an input brings about, and the state after them."""

    events: tuple[Event, ...]
    after: Aggregate


class Draft:
    """A decision in the making: each event is folded at once, so that the next step sees its effect."""

    __slots__ = ("events", "object", "stamp")

    def __init__(self, current: ProcessingObject, stamp: Stamp) -> None:
        self.object = draft_of(current)
        self.stamp = stamp
        self.events: list[Event] = []

    def add(self, event: Event) -> None:
        """Let `event` happen."""
        apply(self.object, self.object.object_id, event, self.stamp)
        self.events.append(event)

    def decision(self) -> Decision | None:
        """The decision, or None where nothing happened."""
        return Decision(tuple(self.events), self.object) if self.events else None


def decide(message: Input, current: Aggregate | None, stamp: Stamp) -> Decision | None:
    """Say what happens because of `message`, if the commit stands at `stamp`; None for nothing."""
    match message:
        case ProcessObject():
            return submit(message, stamp) if current is None else None
        case StoreContent():
            return store(message, current, stamp)
        case RepairLog():
            return repair(message, current, stamp)
    if not isinstance(current, ProcessingObject):
        return None
    draft = Draft(current, stamp)
    match message:
        case TaskSucceeded():
            report(draft, message, succeed)
        case TaskFailed():
            report(draft, message, fail)
        case TaskStarted():
            start(draft, message)
        case TaskStopped():
            stop(draft, message)
        case WorkerLost() | TaskHandedBack():
            take_over(draft, message)
        case TaskLost():
            reissue(draft, message)
        case TimeReached():
            wake(draft)
        case CancelObject() | RetryObject() | DeleteObject():
            if message.command_id not in current.handled:
                obey(draft, message)
        case _:
            assert_never(message)
    return draft.decision()


def submit(command: ProcessObject, stamp: Stamp) -> Decision:
    """A new object; its first operations are queued, unless it has to wait."""
    event = ObjectSubmitted(
        tenant=command.tenant,
        identifier=command.identifier,
        plan=command.plan,
        content=command.content,
        fingerprint=command.fingerprint,
        correlation_id=command.correlation_id,
        traceparent=command.traceparent,
        metadata=command.metadata,
        tags=command.tags,
        priority=command.priority,
        not_before=command.not_before,
    )
    first = apply(None, command.object_id, event, stamp)
    assert isinstance(first, ProcessingObject)
    draft = Draft(first, stamp)
    draft.events.append(event)
    if command.not_before is None or command.not_before <= stamp.at:
        advance(draft)
    return Decision(tuple(draft.events), draft.object)


def store(command: StoreContent, current: Aggregate | None, stamp: Stamp) -> Decision | None:
    """An identifier gets a content; the same one again changes nothing."""
    if isinstance(current, StoredContent) and current.content == command.content:
        return None
    event = ContentStored(tenant=command.tenant, identifier=command.identifier, content=command.content)
    return Decision((event,), apply(current, command.object_id, event, stamp))


def repair(message: RepairLog, current: Aggregate | None, stamp: Stamp) -> Decision:
    """A repair is on record in the log that was repaired."""
    event = LogRepaired(
        partition=message.partition,
        found_seq=message.found_seq,
        restored_seq=message.restored_seq,
        commits_dropped=message.commits_dropped,
        commands_resubmitted=message.commands_resubmitted,
        tasks_reissued=message.tasks_reissued,
    )
    return Decision((event,), apply(current, message.object_id, event, stamp))


def obey(draft: Draft, command: CancelObject | RetryObject | DeleteObject) -> None:
    """A user's command to an existing object."""
    match command:
        case CancelObject():
            cancel(draft, command)
        case RetryObject():
            retry(draft, command)
        case DeleteObject():
            delete(draft, command)
        case _:
            assert_never(command)


def cancel(draft: Draft, command: CancelObject) -> None:
    """What never started is cancelled now; what is with a worker, once it has stopped."""
    if draft.object.is_terminal:
        reject(draft, command, "object_finished", f"the object is {draft.object.state} already")
        return
    draft.add(CancelRequested(command_id=command.command_id, then_delete=draft.object.is_deleting))
    advance(draft)


def retry(draft: Draft, command: RetryObject) -> None:
    """What failed runs again with its dependants; what succeeded is kept while the content is the same."""
    current = draft.object
    if current.state is not ProcessState.FAILED:
        reject(draft, command, "object_not_failed", f"only a FAILED object can be retried; it is {current.state}")
        return
    is_other = command.content is not None and command.content.sha256 != current.content.sha256
    again = tuple(name for name, run in current.runs.items() if is_other or run.state is not OperationState.SUCCEEDED)
    content = command.content if is_other else None
    draft.add(ObjectRetried(command_id=command.command_id, operations=again, content=content))
    advance(draft)


def delete(draft: Draft, command: DeleteObject) -> None:
    """A finished object is deleted now; an active one, if forced, once it has stopped."""
    if draft.object.state is ProcessState.DELETED:
        return
    if draft.object.is_terminal:
        draft.add(ObjectDeleted(command_id=command.command_id))
    elif command.is_forced:
        draft.add(CancelRequested(command_id=command.command_id, then_delete=True))
        advance(draft)
    else:
        state = draft.object.state
        reject(draft, command, "object_active", f"the object is {state}; cancel it first, or force")


def reject(draft: Draft, command: CancelObject | RetryObject | DeleteObject, code: str, detail: str) -> None:
    """The command does not fit; that is on record, and nothing else changes."""
    name = type(command).__name__
    draft.add(CommandRejected(command_id=command.command_id, command=name, code=code, detail=detail))


def report(
    draft: Draft,
    message: TaskSucceeded | TaskFailed,
    accept: Callable[[Draft, OperationRun, TaskSucceeded | TaskFailed], None],
) -> None:
    """A worker's word on an attempt: accepted if it is the current one, on record if it came too late."""
    run = draft.object.runs.get(message.operation)
    if run is None:
        return
    if message.attempt != run.attempt:
        if message.attempt < run.attempt and f"{message.operation}:{message.attempt}" not in draft.object.handled:
            draft.add(
                StaleResultRejected(operation=message.operation, attempt=message.attempt, current_attempt=run.attempt)
            )
        return
    if run.state is OperationState.QUEUED:
        begin(draft, message.operation, message.attempt, message)
    elif run.state is not OperationState.RUNNING:
        return
    accept(draft, run, message)
    advance(draft)


def begin(draft: Draft, operation: str, attempt: int, message: TaskStarted | TaskSucceeded | TaskFailed) -> None:
    """The attempt began when its worker says so."""
    at = message.at if isinstance(message, TaskStarted) else message.started_at
    draft.add(OperationStarted(operation=operation, attempt=attempt, worker=message.worker, at=at))


def start(draft: Draft, message: TaskStarted) -> None:
    """A long attempt began."""
    run = draft.object.runs.get(message.operation)
    if run is not None and run.attempt == message.attempt and run.state is OperationState.QUEUED:
        begin(draft, message.operation, message.attempt, message)


def succeed(draft: Draft, run: OperationRun, message: TaskSucceeded | TaskFailed) -> None:
    """The attempt has a result."""
    assert isinstance(message, TaskSucceeded)
    draft.add(
        OperationSucceeded(
            operation=message.operation,
            attempt=message.attempt,
            artifacts=message.artifacts,
            summary=message.summary,
        )
    )


def fail(draft: Draft, run: OperationRun, message: TaskSucceeded | TaskFailed) -> None:
    """The attempt failed: another one later, if that makes sense."""
    assert isinstance(message, TaskFailed)
    failures = run.failures + 1
    if message.is_retryable and failures < run.planned.attempts_max and not draft.object.is_cancelling:
        retry_at = draft.stamp.at + backoff(draft.object.object_id, message.operation, failures)
        draft.add(
            OperationRetryScheduled(
                operation=message.operation,
                attempt=message.attempt,
                failure=message.failure,
                retry_at=retry_at,
            )
        )
    else:
        draft.add(OperationFailed(operation=message.operation, attempt=message.attempt, failure=message.failure))


def stop(draft: Draft, message: TaskStopped) -> None:
    """A cancelled attempt has stopped. If the cancellation was lost with the end of the log, another one follows."""
    run = draft.object.runs.get(message.operation)
    if run is None or run.attempt != message.attempt or run.state not in OPERATION_WITH_WORKER:
        return
    if draft.object.is_cancelling:
        draft.add(OperationCancelled(operation=message.operation, attempt=message.attempt))
        advance(draft)
    else:
        reissue(draft, message)


def take_over(draft: Draft, message: WorkerLost | TaskHandedBack) -> None:
    """The attempt is void with its worker: the next one is queued, unless the task is poison."""
    run = draft.object.runs.get(message.operation)
    if run is None or run.attempt != message.attempt or run.state not in OPERATION_WITH_WORKER:
        return
    operation, attempt, worker = message.operation, message.attempt, message.worker
    is_lost = isinstance(message, WorkerLost)
    fact = TaskTakenOver if is_lost else facts.TaskHandedBack
    draft.add(fact(operation=operation, attempt=attempt, worker=worker))
    if draft.object.is_cancelling:
        draft.add(OperationCancelled(operation=operation, attempt=attempt))
    elif is_lost and run.takeovers + 1 >= TAKEOVERS_MAX:
        detail = f"{TAKEOVERS_MAX} workers were lost while they ran this operation"
        failure = Failure(code="poison", message=detail, operation=operation)
        draft.add(OperationFailed(operation=operation, attempt=attempt, failure=failure))
    else:
        draft.add(OperationQueued(operation=operation, attempt=attempt + 1))
    advance(draft)


def reissue(draft: Draft, message: TaskLost | TaskStopped) -> None:
    """The attempt's task is nowhere: the next one is queued, and a late result of this one is stale."""
    run = draft.object.runs.get(message.operation)
    if run is None or run.attempt != message.attempt or run.state not in OPERATION_WITH_WORKER:
        return
    draft.add(TaskReissued(operation=message.operation, attempt=message.attempt))
    if draft.object.is_cancelling:
        draft.add(OperationCancelled(operation=message.operation, attempt=message.attempt))
        advance(draft)
    else:
        draft.add(OperationQueued(operation=message.operation, attempt=message.attempt + 1))


def wake(draft: Draft) -> None:
    """Queue what waited for this time."""
    now = draft.stamp.at
    if draft.object.is_cancelling or draft.object.is_terminal:
        return
    for name, run in list(draft.object.runs.items()):
        if run.state is OperationState.RETRYING and run.retry_at is not None and run.retry_at <= now:
            draft.add(OperationQueued(operation=name, attempt=run.attempt + 1))
    if draft.object.not_before is None or draft.object.not_before <= now:
        advance(draft)


def advance(draft: Draft) -> None:
    """Whatever follows by itself: queue what is ready, skip what cannot run, end what is done."""
    if draft.object.is_cancelling:
        wind_down(draft)
        return
    runs = draft.object.runs
    for name in list(runs):
        run = runs[name]
        if run.state is not OperationState.PENDING:
            continue
        cause = next((p for p in run.planned.requires if runs[p].state is not OperationState.SUCCEEDED), None)
        if cause is None:
            draft.add(OperationQueued(operation=name, attempt=run.attempt + 1))
        elif runs[cause].is_terminal:
            draft.add(OperationSkipped(operation=name, cause=cause))
    if all(run.is_terminal for run in runs.values()):
        failures = [run.failure for run in runs.values() if run.state is OperationState.FAILED]
        if not failures:
            draft.add(ObjectCompleted())
        else:
            assert failures[0] is not None
            draft.add(ObjectFailed(failure=failures[0]))


def wind_down(draft: Draft) -> None:
    """Cancel what is not with a worker; when nothing is, the object is cancelled."""
    for name, run in list(draft.object.runs.items()):
        if run.state in {OperationState.PENDING, OperationState.RETRYING}:
            draft.add(OperationCancelled(operation=name, attempt=run.attempt))
    if any(run.state in OPERATION_WITH_WORKER for run in draft.object.runs.values()):
        return
    draft.add(ObjectCancelled())
    if draft.object.delete_command_id is not None:
        draft.add(ObjectDeleted(command_id=draft.object.delete_command_id))
