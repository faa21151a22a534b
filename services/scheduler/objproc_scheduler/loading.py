"""Taking a partition up: the projection's live objects, then the log's tail that is not projected yet."""

from __future__ import annotations

from dataclasses import dataclass

from objproc.clock import Clock
from objproc.domain.processing_object import Aggregate, Stamp, fold
from objproc.errors import ConflictError, LogBrokenError
from objproc.store.projection import ArchivePort, Checkpoint, ProjectionPort
from objproc.streams.ports import LogReadPort, RestorePort, SchedulerPort
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import Commit, WireError
from objproc_scheduler.partition import Partition
from objproc_scheduler.repair import Repaired, is_fork, repair

READ_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A partition as it was taken up; with `repaired`, what had to be done to its log before."""

    partition: Partition
    repaired: Repaired | None


class Loader:
    """Loads partitions, and repairs those whose log went back or was lost."""

    def __init__(
        self,
        streams: SchedulerPort,
        log_reader: LogReadPort,
        restore: RestorePort,
        projection: ProjectionPort,
        archive: ArchivePort,
        clock: Clock,
    ) -> None:
        self._streams = streams
        self._log_reader = log_reader
        self._restore = restore
        self._projection = projection
        self._archive = archive
        self._clock = clock

    async def load(self, number: int) -> Loaded:
        """The partition as its log says it is now, under a new epoch.

        LogBrokenError where the log is damaged beyond what is projected; ConflictError where somebody else took it.
        """
        head = await self._streams.open(number)
        checkpoint, live = await self._projection.load_live(number)
        if checkpoint.seq < head.projected:
            reason = f"commit {head.projected} was projected, the database is at {checkpoint.seq}: is it another one?"
            raise LogBrokenError(number, head.seq, reason)
        first = [entry.body for entry in await self._log_reader.read_log(number, checkpoint.seq, 1)]
        repaired: Repaired | None = None
        if is_fork(head, checkpoint, first):
            repaired = await repair(
                number,
                head,
                checkpoint,
                log_reader=self._log_reader,
                archive=self._archive,
                restore=self._restore,
                clock=self._clock,
            )
            if repaired is None:
                raise ConflictError(f"another scheduler took partition {number}")
            head = repaired.head
        tail = await read_tail(number, checkpoint, head.seq, self._log_reader)
        if (tail[-1].hash if tail else checkpoint.hash) != head.hash:
            raise LogBrokenError(number, head.seq, "the head's hash is not that of its last commit")
        cold = {commit.object_id for commit in tail if commit.object_id not in live}
        live.update(await self._projection.load(sorted(cold)) if cold else {})
        for commit in tail:
            current: Aggregate | None = live.get(commit.object_id)
            # an object that was loaded apart from the checkpoint may be ahead of the tail
            if current is None or current.seq < commit.seq:
                live[commit.object_id] = fold(current, commit.object_id, commit.events, Stamp(commit.seq, commit.at))
        return Loaded(Partition(number, head, live), repaired)


async def read_tail(number: int, checkpoint: Checkpoint, until: int, log: LogReadPort) -> list[Commit]:
    """Commits after the checkpoint up to `until`, each checked against the one before."""
    tail: list[Commit] = []
    seq, digest = checkpoint
    while seq < until:
        entries = await log.read_log(number, seq, READ_COUNT)
        if not entries:
            raise LogBrokenError(number, seq + 1, "the log has a gap")
        for entry in entries:
            try:
                commit = decode_commit(entry.body)
            except WireError as error:
                raise LogBrokenError(number, seq + 1, str(error)) from error
            if commit.seq != seq + 1 or commit.prev != digest or commit.partition != number:
                raise LogBrokenError(number, seq + 1, "the commit does not continue the one before")
            seq, digest = commit.seq, commit.hash
            tail.append(commit)
            if seq == until:
                break
    return tail
