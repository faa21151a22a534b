"""What the server answers, as frozen dataclasses; states are text, so that a newer server may add one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from objproc_client.shapes import Answer

TERMINAL_STATES = frozenset({"COMPLETED", "FAILED", "CANCELLED", "DELETED"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Answer):
    """Why an object or an operation failed."""

    code: str | None = None
    detail: str | None = None

    @classmethod
    def lift(cls, raw: object) -> object:
        """Take plain text, or `message` in place of `detail`."""
        if isinstance(raw, str):
            return {"detail": raw}
        if isinstance(raw, Mapping) and raw.get("detail") is None and isinstance(raw.get("message"), str):
            return {**raw, "detail": raw["message"]}
        return raw

    def __str__(self) -> str:
        """Say code and detail in one line."""
        return ": ".join(part for part in (self.code, self.detail) if part) or "no reason given"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationProgress(Answer):
    """One operation of an object's plan; `progress` in percent."""

    operation: str
    state: str = "PENDING"
    attempt: int = 0
    progress: float = 0.0
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Fault | None = None
    cached: bool = False

    @classmethod
    def lift(cls, raw: object) -> object:
        """Take the bare name, as the answer to a submission gives it."""
        return {"operation": raw} if isinstance(raw, str) else raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Answer):
    """How far an object is; `progress` in percent."""

    object_id: str
    identifier: str
    state: str
    version: int = 0
    progress: float = 0.0
    operations: tuple[OperationProgress, ...] = ()
    error: Fault | None = None
    submitted_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in TERMINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Answer):
    """Bytes an operation left."""

    name: str
    operation: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDetails(Progress):
    """Everything known of one object."""

    metadata: Any = None
    tags: Any = None
    source: Any = None
    artifacts: tuple[Artifact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Answer):
    """A durable command: the object exists from now on, whatever crashes."""

    object_id: str
    identifier: str
    state: str
    operations: tuple[OperationProgress, ...] = ()
    position: str | None = None
    links: Mapping[str, Any] = field(default_factory=dict)
    is_replayed: bool = False
    """The same idempotency key had been sent before."""
    finished: ObjectDetails | None = None
    """The finished object, when it finished within `wait_s`."""

    @property
    def plan(self) -> tuple[str, ...]:
        """The operations that will run, dependencies included."""
        return tuple(operation.operation for operation in self.operations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a cancel, retry or delete."""

    is_decided: bool
    """False: the command is durable, but not decided yet."""
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedContent(Answer):
    """Content that is stored and waits to be processed."""

    identifier: str
    sha256: str
    size: int
    media_type: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent(Answer):
    """One fact in an object's history."""

    version: int
    type: str
    at: datetime | None = None
    data: Any = None
    actor: Any = None
    cause: Any = None
    correlation_id: str | None = None
    seq: int | None = None
    partition: int | None = None
    hash: str | None = None
    prev: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent(Answer):
    """One event of a watched object, as it happens; `type` is an event's name, or `progress`."""

    id: str
    type: str
    object_id: str
    identifier: str | None = None
    state: str | None = None
    version: int | None = None
    progress: float | None = None
    operation: str | None = None

    @property
    def is_last(self) -> bool:
        """Whether the object is done with this event."""
        return self.state in TERMINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry(Answer):
    """One operation the server can run."""

    name: str
    version: str | None = None
    requires: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    params_schema: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Answer):
    """The state of the whole system; what a server tells beyond this is in `raw`."""

    services: Any = None
    partitions: Any = None
    workers: Any = None
    backlog: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Answer):
    """Whether the whole works."""

    is_healthy: bool
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some items of a list; `next_cursor` asks for those after them."""

    items: tuple[T, ...]
    next_cursor: str | None
