"""One partition in the scheduler's memory: its head, its live objects, and what wakes them."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime

from objproc.domain.commands import Input, TimeReached
from objproc.domain.decide import decide
from objproc.domain.processing_object import Aggregate, ProcessingObject, Stamp
from objproc.domain.tasks import TaskEntry, outstanding, tasks_of, wake_at
from objproc.streams.ports import CommitBatch, Head, NewTask
from objproc.wire.codec import encode_commit, encode_message
from objproc.wire.envelope import Origin

Known = dict[str, Aggregate]


class Partition:
    """Live aggregates by object id. Finished ones stay until the projection has passed their last commit."""

    def __init__(self, number: int, head: Head, live: Known) -> None:
        self.number = number
        self.head = head
        self.live = live
        self.cancelling: set[str] = set()
        self._hashes: dict[int, str] = {head.seq: head.hash}
        """Hashes of the commits that are not projected yet: what the projection has to agree with."""
        self._wakes: list[tuple[datetime, str]] = []
        self._leaving: deque[tuple[int, str]] = deque()
        for object_id, aggregate in live.items():
            self._note(object_id, aggregate)

    def unknown(self, object_ids: Iterable[str]) -> set[str]:
        """Those that must be looked up before anything is decided for them."""
        return {object_id for object_id in object_ids if object_id not in self.live}

    def adopt(self, aggregates: Known) -> None:
        """Take aggregates in: cold ones are complete, because only what is projected ever leaves."""
        for object_id, aggregate in aggregates.items():
            self.live[object_id] = aggregate
            self._note(object_id, aggregate)

    def due(self, now: datetime) -> Iterator[TimeReached]:
        """Objects that asked to be woken by now."""
        while self._wakes and self._wakes[0][0] <= now:
            _, object_id = heapq.heappop(self._wakes)
            current = self.live.get(object_id)
            if isinstance(current, ProcessingObject) and (at := wake_at(current)) is not None and at <= now:
                yield TimeReached(object_id=object_id)

    def next_wake(self) -> datetime | None:
        """When `due` has something next."""
        return self._wakes[0][0] if self._wakes else None

    def committed(self, head: Head) -> None:
        """The batch stands: move on, and let go of what is finished and projected."""
        self.head = head
        while (oldest := next(iter(self._hashes))) < head.projected and len(self._hashes) > 1:
            del self._hashes[oldest]
        while self._leaving and self._leaving[0][0] <= head.projected:
            seq, object_id = self._leaving.popleft()
            current = self.live.get(object_id)
            if current is not None and current.seq == seq:
                del self.live[object_id]

    def is_ahead_of(self, seq: int, digest: str) -> bool:
        """True where the projected commit (seq, digest) is one of this log, as far as that is known here."""
        return seq <= self.head.seq and self._hashes.get(seq, digest) == digest

    def note_hash(self, seq: int, digest: str) -> None:
        """A commit is on its way into the log."""
        self._hashes[seq] = digest

    def cancelling_tasks(self, object_ids: Iterable[str]) -> Iterator[TaskEntry]:
        """Tasks of objects that are being cancelled."""
        for object_id in object_ids:
            current = self.live.get(object_id)
            if isinstance(current, ProcessingObject) and current.is_cancelling:
                yield from outstanding(current)

    def _note(self, object_id: str, current: Aggregate) -> None:
        if not isinstance(current, ProcessingObject):
            self._leaving.append((current.seq, object_id))
            return
        if current.is_terminal:
            self._leaving.append((current.seq, object_id))
        elif (at := wake_at(current)) is not None:
            heapq.heappush(self._wakes, (at, object_id))
        if current.is_cancelling:
            self.cancelling.add(object_id)
        else:
            self.cancelling.discard(object_id)


class Pass:
    """One batch in the making: what the inputs of a partition bring about, decided one after the other.

    Decisions go into the partition's memory at once; if the commit fails, the partition is loaded anew.
    """

    def __init__(self, partition: Partition, now: datetime) -> None:
        self._partition = partition
        self._now = now
        head = partition.head
        self._seq = head.seq
        self._hash = head.hash
        self.batch = CommitBatch(
            partition=partition.number,
            head=head,
            commands_cursor=head.commands_cursor,
            results_cursor=head.results_cursor,
        )
        self.cancelled: set[str] = set()
        """Objects whose cancellation begins here."""

    @property
    def is_empty(self) -> bool:
        """True where committing would change nothing."""
        batch, head = self.batch, self.batch.head
        return not (batch.bodies or batch.drops or batch.settled) and (batch.commands_cursor, batch.results_cursor) == (
            head.commands_cursor,
            head.results_cursor,
        )

    def take(self, message: Input, origin: Origin) -> bool:
        """Decide an input; False where it brings nothing about."""
        object_id = message.object_id
        before = self._partition.live.get(object_id)
        stamp = Stamp(self._seq + 1, self._now)
        decision = decide(message, before, stamp)
        if decision is None:
            return False
        after = decision.after
        body, self._hash = encode_commit(
            partition=self._partition.number,
            seq=stamp.seq,
            prev=self._hash,
            object_id=object_id,
            version_from=after.version - len(decision.events) + 1,
            origin=origin,
            at=self._now,
            events=decision.events,
        )
        self._seq = stamp.seq
        self._partition.note_hash(stamp.seq, self._hash)
        self.batch.bodies.append(body)
        self.batch.hash = self._hash
        self._partition.adopt({object_id: after})
        if isinstance(after, ProcessingObject):
            if after.is_cancelling and not (isinstance(before, ProcessingObject) and before.is_cancelling):
                self.cancelled.add(object_id)
            caused = Origin(
                cause=f"commit:{self._partition.number}:{stamp.seq}",
                correlation_id=after.correlation_id,
                actor=origin.actor,
                traceparent=after.traceparent,
            )
            for entry, task in tasks_of(after, decision.events):
                task_body = encode_message(task, caused, self._now)
                self.batch.tasks.append(NewTask(entry.pool, entry.entry_id, task_body))
        return True
