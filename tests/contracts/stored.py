"""Commits and projections for tests of the store."""

from __future__ import annotations

from typing import Any

from given import OBJECT, Story, content
from objproc.domain.commands import Input, StoreContent
from objproc.domain.ids import content_id
from objproc.domain.processing_object import ProcessingObject, StoredContent
from objproc.store.projection import Checkpoint, Projection
from objproc.store.rows import content_row, object_row
from objproc.wire.codec import decode_commit, encode_commit
from objproc.wire.envelope import GENESIS, Commit, Origin

ORIGIN = Origin(cause="c1", correlation_id=OBJECT, actor="test")
START = Checkpoint(0, GENESIS)


def commits_of(story: Story, partition: int = 0, after: Checkpoint = START) -> list[Commit]:
    """The log of a story."""
    commits, prev, version = [], after.hash, 1
    for seq, (stamp, events) in enumerate(story.commits, after.seq + 1):
        body, prev = encode_commit(
            partition=partition,
            seq=seq,
            prev=prev,
            object_id=OBJECT,
            version_from=version,
            origin=ORIGIN,
            at=stamp.at,
            events=events,
        )
        version += len(events)
        commits.append(decode_commit(body))
    return commits


def checkpoint_of(commit: Commit) -> Checkpoint:
    """The checkpoint a commit leads to."""
    return Checkpoint(commit.seq, commit.hash)


def projection_of(story: Story, **more: Any) -> Projection:
    """All of a story in one projection."""
    commits = commits_of(story)
    values: dict[str, Any] = {
        "moves": {0: (START, checkpoint_of(commits[-1]))},
        "commits": commits,
        "inserts": [object_row(story.object, 0)],
    }
    return Projection(**values | more)


def stored(identifier: str = "x") -> StoredContent:
    """A content as the projection keeps it."""
    story = Story()
    object_id = content_id("default", identifier)
    message: Input = StoreContent(object_id=object_id, tenant="default", identifier=identifier, content=content())
    story.when(message)
    assert isinstance(story.current, StoredContent)
    return story.current


def stored_row(current: StoredContent) -> Any:
    """Its row."""
    return content_row(current, 0)


def row_of(current: ProcessingObject) -> Any:
    """The row of an object in partition 0."""
    return object_row(current, 0)
