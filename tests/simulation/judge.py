"""Watches a world: holds the laws at every commit and every projection, and asks whether it has come to rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from objproc.domain.commands import Command, DeleteObject, ProcessObject, StoreContent
from objproc.domain.events import (
    ContentStored,
    ObjectDeleted,
    ObjectSubmitted,
    OperationCancelled,
    TaskHandedBack,
    TaskTakenOver,
)
from objproc.domain.ids import partition_of, partition_record_id
from objproc.domain.processing_object import Aggregate, ProcessingObject, Stamp, StoredContent, fold
from objproc.domain.tasks import Task, wake_at
from objproc.store.projection import Projection
from objproc.store.rows import content_row, object_row, references_of
from objproc.streams import keys
from objproc.wire.envelope import Commit
from simulation.invariants import LogLaws, ViolatedError
from simulation.stores import LIVE

if TYPE_CHECKING:
    from simulation.process import Process
    from simulation.world import World

GRACE_S = 12.0
"""After the faults: by then everybody has thawed and was seen again."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a user was promised."""

    command: Command
    command_id: str
    since_s: float
    fingerprint: str | None = None


class Judge:
    """Knows the log from its bytes, and folds it by itself."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_lasting = not (world.loses_suffix or world.loses_everything)
        """False where only what is projected has to last."""
        self._laws = {p: LogLaws(p, entries_last=self._is_lasting) for p in range(world.partitions)}
        self._log: dict[tuple[int, int], Commit] = {}
        self._after: dict[tuple[int, int], Aggregate] = {}
        self._newest: dict[str, Aggregate] = {}
        self._archived: dict[str, tuple[int, int]] = {}
        self._running: dict[tuple[str, str, int], Process] = {}
        self._executed: set[tuple[str, str, int]] = set()
        self._promises: list[Acknowledged] = []

    # ---- at each moment ----

    def look_at_logs(self) -> None:
        """New entries of the log."""
        if not self._is_lasting:
            return
        for partition, laws in self._laws.items():
            for entry_id, body in self._world.server.read(keys.events(partition), f"{laws.seq}-0", 1000):
                if entry_id != f"{laws.seq + 1}-0":
                    raise ViolatedError("I4", f"entry {entry_id} of partition {partition} follows {laws.seq}")
                commit = laws.add(body)
                self._learn(commit)
                self._look_at_workers(commit)

    def _learn(self, commit: Commit) -> None:
        place = (commit.partition, commit.seq)
        home = partition_of(commit.object_id, self._world.partitions)
        if home != commit.partition and commit.object_id != partition_record_id(commit.partition):
            raise ViolatedError("I4", f"{commit.object_id} does not live in partition {commit.partition}")
        stamp = Stamp(commit.seq, commit.at)
        after = fold(self._newest.get(commit.object_id), commit.object_id, commit.events, stamp)
        self._log[place] = commit
        self._after[place] = self._newest[commit.object_id] = after

    def look_at_rows(self, projection: Projection) -> None:
        """What a projection wrote: no more than the log holds, and exactly its fold."""
        rows = self._world.projection
        if not self._is_lasting:
            for commit in projection.commits:
                self._learn(self._laws[commit.partition].add(commit.body))
        for partition, (_, after) in projection.moves.items():
            commit = self._log.get((partition, after.seq))
            if commit is None or commit.hash != after.hash:
                raise ViolatedError("I4", f"checkpoint {partition}:{after.seq} is not in the log")
            if len(rows.events[partition]) != rows.points[partition].seq:
                raise ViolatedError("I5", f"the archive of partition {partition} has gaps before its checkpoint")
        for commit in projection.commits:
            known = self._log.get((commit.partition, commit.seq))
            if known is None or known.body != commit.body:
                raise ViolatedError("I5", f"commit {commit.partition}:{commit.seq} in the archive is not in the log")
            self._archived[commit.object_id] = (commit.partition, commit.seq)
        for object_id in {commit.object_id for commit in projection.commits}:
            self._compare_row(object_id)

    def _compare_row(self, object_id: str) -> None:
        place = self._archived[object_id]
        after, rows = self._after[place], self._world.projection
        if isinstance(after, ProcessingObject):
            is_equal = rows.objects.get(object_id) == object_row(after, place[0])
        elif isinstance(after, StoredContent):
            is_equal = rows.contents.get(object_id) == content_row(after, place[0])
        else:
            is_equal = rows.records.get(object_id) == content_row(after, place[0])
        if not is_equal:
            raise ViolatedError("I5", f"the row of {object_id} is not the fold of its archive up to {place}")

    def ends(self, task: Task) -> None:
        """The worker has stopped, or finished, the attempt."""
        self._running.pop((task.object_id, task.operation, task.attempt), None)

    def _look_at_workers(self, commit: Commit) -> None:
        """Is it true what the log says of workers?"""
        for event in commit.events:
            if isinstance(event, TaskTakenOver):
                self._look_at_takeover(event)
            if isinstance(event, OperationCancelled):
                worker = self._running.get((commit.object_id, event.operation, event.attempt))
                is_void = any(isinstance(each, TaskTakenOver | TaskHandedBack) for each in commit.events)
                if worker is not None and not worker.is_dead and not is_void:
                    raise ViolatedError("I2", f"{event} is said, but {worker.name} still runs it")

    def _look_at_takeover(self, event: TaskTakenOver) -> None:
        world = self._world
        if world.faults.is_on or world.timeline.now_s < world.faults.until_s + GRACE_S:
            return  # whoever is late then may be taken for lost
        if any(process.name == event.worker for process in world.processes):
            raise ViolatedError("I3", f"{event} is said, but the worker lives")

    def executes(self, task: Task, worker: Process | None = None) -> None:
        """A worker begins an attempt: nobody else ever did."""
        key = (task.object_id, task.operation, task.attempt)
        if key in self._executed and self._is_lasting:
            raise ViolatedError("I3", f"attempt {key} runs a second time")
        self._executed.add(key)
        if worker is not None:
            self._running[key] = worker

    def accepted(self, command: ProcessObject, command_id: str, since_s: float, fingerprint: str) -> None:
        """A submission was answered 202, or 422 where `fingerprint` is another one."""
        self._promises.append(Acknowledged(command, command_id, since_s, fingerprint))

    def acknowledged(self, command: Command, command_id: str, since_s: float) -> None:
        """A command was answered 202; it was sent after `since_s`."""
        self._promises.append(Acknowledged(command, command_id, since_s))

    # ---- at the end ----

    def unrest(self) -> str:
        """What still moves; empty where nothing does."""
        world, server = self._world, self._world.server
        for partition, laws in self._laws.items():
            head = world.streams._head(partition)
            if not laws.seq == head.seq == world.projection.points[partition].seq == head.projected:
                return (
                    f"partition {partition}: log {laws.seq}, head {head.seq},"
                    f" checkpoint {world.projection.points[partition].seq}, feed {head.projected}"
                )
            if server.read(keys.commands(partition), head.commands_cursor, 1):
                return f"partition {partition}: undecided commands"
            if server.read(keys.results(partition), head.results_cursor, 1):
                return f"partition {partition}: undecided results"
            if held := server.hash(keys.pending(partition)):
                return f"partition {partition}: pending commands of {sorted(held)}"
        for key, stream in server.state.streams.items():
            if ":tasks:" in key and (stream.ids or (stream.group and stream.group.pending)):
                return f"{key}: {len(stream.ids)} tasks, {len(stream.group.pending) if stream.group else 0} held"
        if live := [row.object_id for row in world.projection.objects.values() if row.state in LIVE]:
            return f"objects are live: {sorted(map(str, live))}"
        return world.unrest()

    def next_wake_s(self) -> float:
        """How far the next timer of a live object is from now, at the most."""
        live = [a for a in self._newest.values() if isinstance(a, ProcessingObject) and not a.is_terminal]
        now = self._world.clock.now()
        return max([(at - now).total_seconds() for current in live if (at := wake_at(current)) is not None], default=0)

    def hold_court(self) -> None:
        """Everything that must be true once all is done."""
        for promise in self._promises:
            if promise.since_s >= self._world.lost_at_s:
                self._hold_promise(promise)
        for object_id in self._newest:
            self._compare_row(object_id)
        references = {
            (current.tenant, digest, object_id)
            for object_id, current in self._newest.items()
            for digest in references_of(current)
        }
        kept = {(tenant, digest, str(name)) for tenant, digest, name in self._world.projection.references}
        if references != kept:
            raise ViolatedError("I5", f"references differ: {sorted(references ^ kept)[:3]}")
        for partition, laws in self._laws.items():
            entries = self._world.server.read(keys.feed(partition), "0-0", 9999)
            fed = [int(entry_id.partition("-")[0]) for entry_id, _ in entries]
            if self._is_lasting and fed != list(range(1, laws.seq + 1)):
                raise ViolatedError("I8", f"the feed of partition {partition} is not 1..{laws.seq}")

    def _hold_promise(self, promise: Acknowledged) -> None:
        command = promise.command
        commits = [commit for commit in self._log.values() if commit.object_id == command.object_id]
        if promise.fingerprint is None and any(commit.origin.cause == promise.command_id for commit in commits):
            return
        events = [event for commit in commits for event in commit.events]
        match command:
            case ProcessObject():
                first = [event.fingerprint for event in events if isinstance(event, ObjectSubmitted)]
                # what was projected of a lost log still wins over what was accepted meanwhile
                is_settled = promise.since_s >= self._world.lost_at_s + GRACE_S
                if first != [promise.fingerprint] and (self._is_lasting or is_settled or not first):
                    raise ViolatedError("I10", f"{command.object_id}: told {promise.fingerprint}, submitted {first}")
                return
            case DeleteObject():
                is_kept = any(isinstance(event, ObjectDeleted) for event in events)
            case StoreContent():
                is_kept = any(isinstance(e, ContentStored) and e.content == command.content for e in events)
            case _:
                is_kept = False
        if not is_kept:
            what = f"{type(command).__name__} {promise.command_id} of {command.object_id}"
            raise ViolatedError("I1", f"{what} has no outcome")
