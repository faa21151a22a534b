"""Repair of a partition whose log does not continue what is projected: PostgreSQL wins.

A failover can lose the end of the log, a loss of Redis all of it; and what was committed on top of a shortened log
is a fork. The log is set back to the projection, commands that only the fork had decided are submitted again, and
every task that should be somewhere gets a new attempt, because nobody knows where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from objproc.clock import Clock
from objproc.domain.commands import CancelObject, Command, DeleteObject, ProcessObject, RetryObject, StoreContent
from objproc.domain.events import (
    CancelRequested,
    ContentStored,
    Event,
    ObjectDeleted,
    ObjectRetried,
    ObjectSubmitted,
)
from objproc.store.projection import ArchivePort, Checkpoint
from objproc.streams.ports import Append, AppendMode, Head, LogReadPort, RestorePort
from objproc.telemetry import Log
from objproc.wire.codec import decode_commit, encode_message, hash_of
from objproc.wire.envelope import Commit, WireError

log = Log("repair")

READ_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found and did."""

    head: Head
    found_seq: int
    commits_dropped: int
    commands_resubmitted: int


async def repair(
    number: int,
    head: Head,
    checkpoint: Checkpoint,
    *,
    log_reader: LogReadPort,
    archive: ArchivePort,
    restore: RestorePort,
    clock: Clock,
) -> Repaired | None:
    """Set the log back to `checkpoint`; None where another scheduler took the partition meanwhile."""
    forked = await forked_bodies(number, checkpoint, log_reader, archive)
    resubmitted = [append for body in forked for append in commands_of(body, clock)]
    restored = await restore.restore(number, head.epoch, checkpoint.seq, checkpoint.hash, resubmitted)
    if restored is None:
        return None
    log.error(
        "log_repaired",
        partition=number,
        found_seq=head.seq,
        restored_seq=checkpoint.seq,
        commits_dropped=len(forked),
        commands_resubmitted=len(resubmitted),
    )
    return Repaired(restored, head.seq, len(forked), len(resubmitted))


async def forked_bodies(
    number: int, checkpoint: Checkpoint, log_reader: LogReadPort, archive: ArchivePort
) -> list[bytes]:
    """Entries of the log that the archive does not hold."""
    forked: list[bytes] = []
    after = 0
    while entries := await log_reader.read_log(number, after, READ_COUNT):
        first = int(entries[0].entry_id.partition("-")[0])
        last = int(entries[-1].entry_id.partition("-")[0])
        known = {hash_of(body) for body in await archive.archived(number, first - 1, last - first + 1)}
        forked += [entry.body for entry in entries if hash_of(entry.body) not in known]
        after = last
    return forked


def commands_of(body: bytes, clock: Clock) -> Iterator[Append]:
    """The commands behind a commit, as they were accepted; nothing for what follows by itself."""
    try:
        commit = decode_commit(body)
    except WireError:
        return
    for event in commit.events:
        command = command_of(commit, event)
        if command is not None:
            message = encode_message(command, commit.origin, clock.now())
            is_new = isinstance(command, ProcessObject | StoreContent)
            mode = AppendMode.REPLACE if is_new else AppendMode.PLAIN
            yield Append(mode, commit.object_id, commit.origin.cause, message)


def command_of(commit: Commit, event: Event) -> Command | None:
    """The command that an event answers."""
    object_id = commit.object_id
    match event:
        case ObjectSubmitted():
            return ProcessObject(
                object_id=object_id,
                tenant=event.tenant,
                identifier=event.identifier,
                plan=event.plan,
                content=event.content,
                fingerprint=event.fingerprint,
                correlation_id=event.correlation_id,
                traceparent=event.traceparent,
                metadata=event.metadata,
                tags=event.tags,
                priority=event.priority,
                not_before=event.not_before,
            )
        case ContentStored():
            return StoreContent(
                object_id=object_id, tenant=event.tenant, identifier=event.identifier, content=event.content
            )
        case CancelRequested(then_delete=True):
            return DeleteObject(object_id=object_id, command_id=event.command_id, is_forced=True)
        case CancelRequested():
            return CancelObject(object_id=object_id, command_id=event.command_id)
        case ObjectRetried():
            return RetryObject(object_id=object_id, command_id=event.command_id, content=event.content)
        case ObjectDeleted() if len(commit.events) == 1:
            return DeleteObject(object_id=object_id, command_id=event.command_id)
    return None


def is_fork(head: Head, checkpoint: Checkpoint, first: Sequence[bytes]) -> bool:
    """True where the log does not go on from what is projected; `first` is the entry after it, if there is one.

    A break further on is none of this: such a log was damaged, and a person has to look.
    """
    if head.seq < checkpoint.seq:
        return True
    if head.seq == checkpoint.seq:
        return head.hash != checkpoint.hash
    if not first:
        return True
    try:
        following = decode_commit(first[0])
    except WireError:
        return False
    return (following.seq, following.prev) != (checkpoint.seq + 1, checkpoint.hash)
