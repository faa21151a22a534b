"""Inputs of `decide`: commands (intentions of users), reports (what workers say), and the clock's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from objproc.domain.content import Artifact, Content, Failure, PlannedOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessObject:
    """Run this plan on this content."""

    object_id: str
    tenant: str
    identifier: str
    plan: tuple[PlannedOperation, ...]
    content: Content
    fingerprint: str
    """Digest of the request, to tell a repeat from another request under the same idempotency key."""
    correlation_id: str
    """What all that follows has in common; the caller's own, or the object id."""
    traceparent: str | None = None
    """W3C trace context of the request."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    priority: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelObject:
    """Stop working on the object; it is CANCELLED once nothing of it runs."""

    object_id: str
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryObject:
    """Run again what failed and what depends on it; everything, if the content is another one now."""

    object_id: str
    command_id: str
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObject:
    """Forget content and artifacts; `is_forced` stops an active object first."""

    object_id: str
    command_id: str
    is_forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContent:
    """From now on `identifier` means this uploaded content."""

    object_id: str
    tenant: str
    identifier: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted:
    """A worker has begun an attempt that takes a while."""

    object_id: str
    operation: str
    attempt: int
    worker: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSucceeded:
    """An attempt is done; its artifacts lie in S3."""

    object_id: str
    operation: str
    attempt: int
    worker: str
    started_at: datetime
    artifacts: tuple[Artifact, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """An attempt ended without a result."""

    object_id: str
    operation: str
    attempt: int
    worker: str
    started_at: datetime
    failure: Failure
    is_retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStopped:
    """A cancelled attempt has stopped, or will never start."""

    object_id: str
    operation: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHandedBack:
    """A worker that is about to stop gives an attempt back unfinished."""

    object_id: str
    operation: str
    attempt: int
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """The worker that held this attempt gives no sign of life."""

    object_id: str
    operation: str
    attempt: int
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLost:
    """The task streams went back or were lost: nobody knows whether this attempt still runs anywhere."""

    object_id: str
    operation: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairLog:
    """The log did not continue what is projected, and was set back to it."""

    object_id: str
    partition: int
    found_seq: int
    restored_seq: int
    commits_dropped: int
    commands_resubmitted: int
    tasks_reissued: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReached:
    """The object asked to be woken now: `not_before`, or the pause before a retry, is over."""

    object_id: str


Command = ProcessObject | CancelObject | RetryObject | DeleteObject | StoreContent
Report = TaskStarted | TaskSucceeded | TaskFailed | TaskStopped | TaskHandedBack
Input = Command | Report | WorkerLost | TaskLost | RepairLog | TimeReached
