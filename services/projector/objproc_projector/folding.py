"""From commits to rows: a pure function over the projection's own past."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from objproc.domain.events import ContentStored, ObjectSubmitted
from objproc.domain.partition_record import PartitionRecord
from objproc.domain.processing_object import Aggregate, StoredContent
from objproc.domain.state_machine import InvalidTransitionError
from objproc.errors import LogBrokenError
from objproc.feed import FeedCommit, fold_for_feed
from objproc.store.projection import Checkpoint, Projection
from objproc.store.rows import content_row, object_row, references_of
from objproc.streams.ports import Entry
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import Commit, WireError

Known = dict[str, Aggregate]


def read_chain(partition: int, checkpoint: Checkpoint, entries: Sequence[Entry]) -> list[Commit]:
    """The entries as commits, each checked against the one before. LogBrokenError at the first that is wrong."""
    commits: list[Commit] = []
    seq, digest = checkpoint
    for entry in entries:
        try:
            commit = decode_commit(entry.body)
        except WireError as error:
            raise LogBrokenError(partition, seq + 1, str(error)) from error
        if (commit.partition, commit.seq, commit.prev) != (partition, seq + 1, digest):
            raise LogBrokenError(partition, seq + 1, "the commit does not continue the one before")
        seq, digest = commit.seq, commit.hash
        commits.append(commit)
    return commits


class Fold:
    """Commits of one pass, folded over what was known before them."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._after: Known = {}
        self._created: set[str] = set()
        self._partition_of: dict[str, int] = {}
        self.commits: list[Commit] = []
        self.feed: dict[int, list[FeedCommit]] = {}
        self.settled: dict[int, list[tuple[str, str]]] = {}
        """By partition: (object id, command id) that the pending hash may forget now."""

    def add(self, commit: Commit) -> None:
        """Fold one commit. LogBrokenError if it does not fit the object's history."""
        object_id, partition = commit.object_id, commit.partition
        before = self._after.get(object_id) or self._known.get(object_id)
        version = before.version if before else 0
        if commit.version_from != version + 1:
            reason = f"object {object_id} is at version {version}, the commit starts at {commit.version_from}"
            raise LogBrokenError(partition, commit.seq, reason)
        try:
            after, told = fold_for_feed(before, commit)
        except InvalidTransitionError as error:
            raise LogBrokenError(partition, commit.seq, str(error)) from error
        if before is None:
            self._created.add(object_id)
        self._after[object_id] = after
        self._partition_of[object_id] = partition
        self.commits.append(commit)
        self.feed.setdefault(partition, []).append(told)
        if isinstance(commit.events[0], ObjectSubmitted | ContentStored):
            self.settled.setdefault(partition, []).append((object_id, commit.origin.cause))

    def after(self) -> Known:
        """Every aggregate that changed, as it is now."""
        return self._after

    def projection(self) -> Projection:
        """The rows to write; checkpoints are the caller's."""
        projection = Projection(commits=self.commits)
        for object_id, current in self._after.items():
            partition = self._partition_of[object_id]
            if isinstance(current, PartitionRecord):
                projection.records.append(content_row(current, partition))
            elif isinstance(current, StoredContent):
                projection.contents.append(content_row(current, partition))
            elif object_id in self._created:
                projection.inserts.append(object_row(current, partition))
            else:
                projection.updates.append(object_row(current, partition))
                if current.is_terminal:
                    projection.finished.append(UUID(object_id))
            self._refer(projection, object_id, current)
        return projection

    def _refer(self, projection: Projection, object_id: str, current: Aggregate) -> None:
        before = self._known.get(object_id)
        had, has = references_of(before) if before else set(), references_of(current)
        name = UUID(object_id)
        projection.references += [(current.tenant, digest, name) for digest in sorted(has - had)]
        projection.dropped += [(current.tenant, digest, name) for digest in sorted(had - has)]
