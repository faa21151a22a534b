"""Taking a partition up: the projection's live objects, then the log's tail that is not projected yet."""

from __future__ import annotations

from objproc.domain.processing_object import Aggregate, Stamp, fold
from objproc.errors import LogBrokenError
from objproc.store.projection import Checkpoint, ProjectionPort
from objproc.streams.ports import LogReadPort, SchedulerPort
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import Commit
from objproc_scheduler.partition import Partition

READ_COUNT = 1000


async def load(number: int, streams: SchedulerPort, log: LogReadPort, projection: ProjectionPort) -> Partition:
    """The partition as its log says it is now, under a new epoch.

    LogBrokenError where the log does not continue what was projected.
    """
    head = await streams.open(number)
    checkpoint, live = await projection.load_live(number)
    if checkpoint.seq > head.seq:
        raise LogBrokenError(number, head.seq, f"the log ends here, but commit {checkpoint.seq} is projected")
    tail = await read_tail(number, checkpoint, head.seq, log)
    newest = tail[-1].hash if tail else checkpoint.hash
    if newest != head.hash:
        raise LogBrokenError(number, head.seq, "the head's hash is not that of its last commit")
    cold = {commit.object_id for commit in tail if commit.object_id not in live}
    live.update(await projection.load(sorted(cold)) if cold else {})
    for commit in tail:
        current: Aggregate | None = live.get(commit.object_id)
        # an object that was loaded apart from the checkpoint may be ahead of the tail
        if current is None or current.seq < commit.seq:
            live[commit.object_id] = fold(current, commit.object_id, commit.events, Stamp(commit.seq, commit.at))
    return Partition(number, head, live)


async def read_tail(number: int, checkpoint: Checkpoint, until: int, log: LogReadPort) -> list[Commit]:
    """Commits after the checkpoint up to `until`, each checked against the one before."""
    tail: list[Commit] = []
    seq, digest = checkpoint
    while seq < until:
        entries = await log.read_log(number, seq, READ_COUNT)
        if not entries:
            raise LogBrokenError(number, seq + 1, "the log has a gap")
        for entry in entries:
            commit = decode_commit(entry.body)
            if commit.seq != seq + 1 or commit.prev != digest or commit.partition != number:
                raise LogBrokenError(number, seq + 1, "the commit does not continue the one before")
            seq, digest = commit.seq, commit.hash
            tail.append(commit)
            if seq == until:
                break
    return tail
