"""Facts. Each docstring says when it holds. An event, once written, never changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from objproc.domain.content import Artifact, Content, Failure, PlannedOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSubmitted:
    """A new object with its plan was accepted."""

    tenant: str
    identifier: str
    plan: tuple[PlannedOperation, ...]
    content: Content
    fingerprint: str
    correlation_id: str
    traceparent: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    priority: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationQueued:
    """All parents are done; the task of this attempt stands in the task stream."""

    operation: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStarted:
    """A worker began the attempt at `at` (the worker's clock)."""

    operation: str
    attempt: int
    worker: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSucceeded:
    """The current attempt ended well; its artifacts are in S3."""

    operation: str
    attempt: int
    artifacts: tuple[Artifact, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRetryScheduled:
    """The attempt failed; the next one is queued at `retry_at`."""

    operation: str
    attempt: int
    failure: Failure
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFailed:
    """The operation failed for good: the error is final, or its attempts are used up."""

    operation: str
    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSkipped:
    """The operation will not run, because `cause` did not succeed."""

    operation: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCancelled:
    """The operation has stopped, or will never start, because the object is being cancelled."""

    operation: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTakenOver:
    """The worker of the attempt was lost; the attempt is void, the next one follows."""

    operation: str
    attempt: int
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHandedBack:
    """The worker stopped in good order and gave the attempt back; that counts as no failure."""

    operation: str
    attempt: int
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReissued:
    """A failover took the attempt's task, or the reason why it stopped; the next one follows; that is no failure."""

    operation: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleResultRejected:
    """A worker answered an attempt that is no longer the current one; nothing changed."""

    operation: str
    attempt: int
    current_attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody wants the object stopped; deleted afterwards, if `then_delete`."""

    command_id: str
    then_delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRetried:
    """A failed object runs again: `operations` start anew, on `content` if that is given."""

    command_id: str
    operations: tuple[str, ...]
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCompleted:
    """Every operation succeeded or was skipped by its own rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFailed:
    """An operation failed for good and nothing of the object runs any more."""

    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCancelled:
    """Nothing of the object runs any more, as was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDeleted:
    """Content and artifacts are given up; this history remains."""

    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRejected:
    """A command does not fit the object's state; nothing changed."""

    command_id: str
    command: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentStored:
    """`identifier` means this uploaded content from now on."""

    tenant: str
    identifier: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRepaired:
    """The partition's log had lost commits, or had forked: it goes on from what was projected.

    `found_seq` is where the log ended, `restored_seq` where the projection stood; `commits_dropped` were in the log
    only and are void, `commands_resubmitted` of theirs are decided again, `tasks_reissued` get a new attempt.
    """

    partition: int
    found_seq: int
    restored_seq: int
    commits_dropped: int
    commands_resubmitted: int
    tasks_reissued: int


Event = (
    ObjectSubmitted
    | OperationQueued
    | OperationStarted
    | OperationSucceeded
    | OperationRetryScheduled
    | OperationFailed
    | OperationSkipped
    | OperationCancelled
    | TaskTakenOver
    | TaskHandedBack
    | TaskReissued
    | StaleResultRejected
    | CancelRequested
    | ObjectRetried
    | ObjectCompleted
    | ObjectFailed
    | ObjectCancelled
    | ObjectDeleted
    | CommandRejected
    | ContentStored
    | LogRepaired
)
