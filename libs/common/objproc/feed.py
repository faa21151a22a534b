"""The feed: what each commit means to somebody who watches. The projector writes it, the api serves it.

The same function makes the feed and replays it from the archive, so that a reconnecting client reads the same.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from objproc.domain.content import Failure
from objproc.domain.processing_object import Aggregate, ProcessingObject, Stamp, apply, draft_of
from objproc.wire.envelope import UNREADABLE, Commit, WireError


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of an object, with the state it led to."""

    version: int
    event: str
    state: str
    progress: float
    at: datetime
    operation: str | None = None
    attempt: int | None = None
    error: Failure | None = None
    retry_at: datetime | None = None


class FeedCommit(msgspec.Struct, frozen=True, kw_only=True, tag="commit"):
    """One commit of an object. `events` is empty for a stored content."""

    partition: int
    seq: int
    tenant: str
    object_id: str
    identifier: str
    cause: str
    events: list[FeedEvent]


class RunningProgress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """How far a running operation is, 0.0 to 100.0. Travels beside the log: it may be lost."""

    tenant: str
    object_id: str
    identifier: str
    operation: str
    attempt: int
    percent: float


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(FeedCommit | RunningProgress)


def fold_for_feed(before: Aggregate | None, commit: Commit) -> tuple[Aggregate, FeedCommit]:
    """The state after `commit`, and what the feed says of it; `before` stays as it was."""
    current = draft_of(before) if isinstance(before, ProcessingObject) else before
    stamp = Stamp(commit.seq, commit.at)
    told: list[FeedEvent] = []
    for version, event in enumerate(commit.events, commit.version_from):
        current = apply(current, commit.object_id, event, stamp)
        if isinstance(current, ProcessingObject):
            told.append(
                FeedEvent(
                    version=version,
                    event=type(event).__name__,
                    state=current.state.value,
                    progress=current.percent,
                    at=commit.at,
                    operation=getattr(event, "operation", None),
                    attempt=getattr(event, "attempt", None),
                    error=getattr(event, "failure", None),
                    retry_at=getattr(event, "retry_at", None),
                )
            )
    assert current is not None
    feed = FeedCommit(
        partition=commit.partition,
        seq=commit.seq,
        tenant=current.tenant,
        object_id=commit.object_id,
        identifier=current.identifier,
        cause=commit.origin.cause,
        events=told,
    )
    return current, feed


def encode_feed(item: FeedCommit | RunningProgress) -> bytes:
    """A feed entry's or progress entry's body."""
    return _encoder.encode(item)


def decode_feed(body: bytes) -> FeedCommit | RunningProgress:
    """What a feed entry says. WireError for other bytes."""
    try:
        item: FeedCommit | RunningProgress = _decoder.decode(body)
    except UNREADABLE as error:
        raise WireError(f"not a feed entry: {error}") from error
    return item
