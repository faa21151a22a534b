"""What the services need of the streams. Each port has one caller; redis.py and memory.py fulfil them.

Errors: TransientError when the server is away or busy (nothing is known about the effect: every call may be
repeated), ConflictError when a check inside the call failed (nothing was changed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

START = "0-0"
"""The cursor before the first entry of a stream."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream."""

    partition: int
    entry_id: str
    body: bytes


# ---- api -----------------------------------------------------------------------------------------------


class AppendMode(StrEnum):
    """How a command meets an undecided one for the same object."""

    NEW = "new"
    """Stands back: the first one wins."""
    REPLACE = "replace"
    """Takes its place in the pending hash: the last one wins."""
    PLAIN = "plain"
    """Does not concern the pending hash."""


@dataclass(frozen=True, slots=True)
class Append:
    """A command on its way into the log's input."""

    mode: AppendMode
    object_id: str
    command_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of it: `earlier` is the undecided command that was there first, if there was one."""

    seq: int
    """Head of the partition's log at that moment."""
    earlier: bytes | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an acknowledgement is worth: the level that was asked for, and why it is not met, if it is not."""

    level: str
    is_met: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Load:
    """How full the server is. `bytes_max` 0 is no limit; `backlog` are commands that are not projected yet."""

    bytes_used: int
    bytes_max: int
    backlog: int


class CommandPort(Protocol):
    """The api's side: durable when it returns."""

    async def append(self, batches: Mapping[int, Sequence[Append]]) -> dict[int, list[Appended]]:
        """Append commands by partition, in order; one call to the server for each partition."""
        ...

    async def pending(self, partition: int, object_ids: Sequence[str]) -> list[bytes | None]:
        """The undecided or unprojected command of each object."""
        ...


class FeedPort(Protocol):
    """The api's live feed."""

    async def tails(self, partitions: Sequence[int]) -> dict[int, str]:
        """Id of the newest feed entry of each partition."""
        ...

    async def read_feed(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        """Feed entries after the cursors; waits up to `wait_ms` for the first."""
        ...


# ---- scheduler and projector ----


class LeasePort(Protocol):
    """Who works on which partition. A lease only saves double work; what fences are the checks of a commit."""

    async def hold(self, role: str, partitions: Sequence[int], owner: str, lease_ms: int) -> list[bool]:
        """Take or prolong the leases of `role`; False where somebody else holds one."""
        ...

    async def release(self, role: str, partitions: Sequence[int], owner: str) -> None:
        """Give leases back."""
        ...


# ---- scheduler -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """Where a partition stands in Redis."""

    epoch: int
    commands_cursor: str
    results_cursor: str
    seq: int
    hash: str
    projected: int
    is_reissue_due: bool = False
    """True between a repair and the commit that gives every live task a new entry."""


@dataclass(slots=True)
class Inputs:
    """New entries of one partition."""

    commands: list[Entry] = field(default_factory=list)
    results: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to append, under the id that state gives it."""

    pool: str
    entry_id: str
    body: bytes


@dataclass(slots=True, kw_only=True)
class CommitBatch:
    """What one pass of the scheduler wants to happen in one partition, all or nothing."""

    partition: int
    head: Head
    """The head it was decided on: epoch, cursors, seq and hash are checked."""
    commands_cursor: str
    results_cursor: str
    bodies: list[bytes] = field(default_factory=list)
    hash: str = ""
    """Hash of the last body; the old head's where there is none."""
    tasks: list[NewTask] = field(default_factory=list)
    drops: list[tuple[str, str]] = field(default_factory=list)
    """Tasks (pool, entry id) of lost workers, to acknowledge and delete."""
    settled: list[tuple[str, str]] = field(default_factory=list)
    """(object id, command id) of commands that brought nothing about."""


class SchedulerPort(Protocol):
    """Inputs, and the commit: the only way into the log."""

    async def open(self, partition: int) -> Head:
        """Begin to work on the partition: its head under a new epoch, which fences whoever worked on it before."""
        ...

    async def read(self, heads: Mapping[int, Head], count: int, wait_ms: int) -> dict[int, Inputs]:
        """New entries after the heads' cursors, at most `count` of each stream; waits for the first."""
        ...

    async def commit(self, batches: Sequence[CommitBatch]) -> dict[int, Head | None]:
        """Commit each partition's batch; its new head, or None where a check failed and nothing changed."""
        ...

    async def withdraw(self, partition: int, tasks: Sequence[tuple[str, str, bytes]]) -> None:
        """For (pool, entry id, report): an unclaimed task goes and `report` stands in its place;
        the holder of a claimed one is told to stop."""
        ...


class RestorePort(Protocol):
    """Setting a partition's log back to what is projected."""

    async def restore(
        self, partition: int, epoch: int, seq: int, digest: str, resubmitted: Sequence[Append]
    ) -> Head | None:
        """Drop the log's entries and all tasks, go on after (seq, digest), append commands again.

        None, and nothing changed, where the partition was opened again since `epoch`.
        """
        ...


class LogReadPort(Protocol):
    """The log as Redis still holds it."""

    async def read_log(self, partition: int, after: int, count: int) -> list[Entry]:
        """Log entries with a seq greater than `after`."""
        ...


class TaskWatchPort(Protocol):
    """The scheduler's look at what workers hold."""

    async def holders(self, partition: int, pools: Sequence[str]) -> dict[str, dict[str, int]]:
        """By pool: the known consumers, and how many tasks each holds."""
        ...

    async def held(self, partition: int, pool: str, consumer: str, count: int) -> list[Entry]:
        """Up to `count` tasks the consumer holds; a body is empty where the entry itself is gone."""
        ...

    async def forget_consumer(self, partition: int, pool: str, consumer: str) -> None:
        """Remove a consumer, if it holds nothing."""
        ...


# ---- worker --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task a worker holds."""

    partition: int
    pool: str
    entry_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """A report; with `entry_id` it also gives up the task."""

    pool: str
    entry_id: str | None
    body: bytes


class TaskPort(Protocol):
    """The worker's side of the task streams."""

    async def claim(self, pool: str, consumer: str, count: int, wait_ms: int) -> list[Claimed]:
        """Up to `count` tasks (a few more if several streams wake at once); waits for the first."""
        ...

    async def held(self, pool: str, consumer: str) -> list[Claimed]:
        """Every task the consumer holds: after a claim whose answer was lost, more than it knows of."""
        ...

    async def finish(self, batches: Mapping[int, Sequence[Finish]]) -> None:
        """Acknowledge tasks and append their reports, together, by partition."""
        ...

    async def controls(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        """Tasks that shall stop: bodies are the reports that `withdraw` was given."""
        ...


class ProgressPort(Protocol):
    """The worker's word on running operations."""

    async def progress(self, items: Mapping[int, Sequence[bytes]]) -> None:
        """Tell progress; old entries may go unread."""
        ...


# ---- projector -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One commit for the feed."""

    seq: int
    body: bytes


class LogPort(Protocol):
    """The projector's side: the log, the progress stream, the feed."""

    async def read_projection(
        self, positions: Mapping[int, int], progress: Mapping[int, str], count: int, wait_ms: int
    ) -> tuple[dict[int, list[Entry]], dict[int, list[Entry]]]:
        """Log entries after the positions and progress entries after the cursors, by partition."""
        ...

    async def publish(self, partition: int, items: Sequence[FeedItem], settled: Sequence[tuple[str, str]]) -> int:
        """Feed the projected commits, in order; drop (object id, command id) from the pending hash.

        Items that were fed before are passed over. Answers how far the feed is; where that is less than the
        last item, commits are missing before the first one, and nothing was changed.
        """
        ...

    async def publish_progress(self, items: Mapping[int, Sequence[bytes]]) -> None:
        """Feed progress, which has no place in the log."""
        ...


class HeartbeatPort(Protocol):
    """Signs of life of every service, and the catalogue of operations."""

    async def beat(self, instance: str, body: bytes) -> None:
        """Replace the instance's sign of life."""
        ...

    async def beats(self) -> dict[str, bytes]:
        """The newest sign of life of every instance."""
        ...

    async def forget_instances(self, instances: Sequence[str]) -> None:
        """Remove instances that are gone."""
        ...


class CataloguePort(Protocol):
    """What the workers can run."""

    async def announce(self, operations: Mapping[str, bytes]) -> None:
        """Put operations into the catalogue."""
        ...

    async def catalogue(self) -> dict[str, bytes]:
        """Every announced operation."""
        ...
