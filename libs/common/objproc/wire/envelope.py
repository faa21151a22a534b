"""The shapes that travel: a message (command, report, task) and a commit (one entry of the log)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from objproc.domain.events import Event
from objproc.errors import PermanentError

GENESIS = "0" * 64
"""`prev` of the first commit of a partition."""


class WireError(PermanentError):
    """Bytes that are no message or commit of ours, or of a version this process does not know."""


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding may raise for bytes of somebody's making; none of it may end a process."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is written, and for whom: handed on from the command to everything it causes."""

    cause: str
    """Id of the command, or `<partition>:<stream>:<entry id>` of the report."""
    correlation_id: str
    actor: str
    traceparent: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Envelope of a command, a report or a task: type, version and origin beside the data."""

    type: str
    v: int = 1
    origin: Origin
    at: datetime
    data: msgspec.Raw


class EventEnvelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event within a commit."""

    type: str
    v: int = 1
    data: msgspec.Raw


class CommitEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """One log entry as it is written. Its hash is the SHA-256 of these very bytes, which name `prev`."""

    v: int
    partition: int
    seq: int
    prev: str
    object_id: str
    version_from: int
    version_to: int
    origin: Origin
    at: datetime
    events: list[EventEnvelope]


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded log entry: the events one cause produced for one object."""

    partition: int
    seq: int
    prev: str
    hash: str
    object_id: str
    version_from: int
    version_to: int
    origin: Origin
    at: datetime
    events: tuple[Event, ...]
    body: bytes
