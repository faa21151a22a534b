"""Planted faults in our own code: each must be found, or the simulation proves nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from objproc.domain import decide
from objproc.domain.events import OperationQueued
from objproc.domain.processing_object import ProcessingObject
from objproc.domain.state_machine import OperationState
from objproc.streams import keys
from objproc.streams.memory import MemoryStreams, MemoryTasks
from objproc.streams.ports import AppendMode, CommitBatch, Head
from objproc_projector import folding
from objproc_projector.projector import Projector
from objproc_scheduler import loading, reissue
from objproc_scheduler.partition import Partition, Pass
from objproc_scheduler.scheduler import Scheduler
from objproc_scheduler.watch import Found, Watch
from objproc_worker.claims import Claims
from objproc_worker.reports import Reports
from simulation.stores import MemoryProjection

Change = tuple[Any, str, Any]
MUTANTS: dict[str, Callable[[], list[Change]]] = {}
NEEDS_LOSS = {"the scheduler takes a fork up", "a repair reissues no tasks"}
"""Mutants that only show when Redis goes back."""


def mutant(name: str) -> Callable[[Callable[[], list[Change]]], Callable[[], list[Change]]]:
    """Put what makes the changes into the table."""

    def register(make: Callable[[], list[Change]]) -> Callable[[], list[Change]]:
        MUTANTS[name] = make
        return make

    return register


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The mutant is in the code."""
    with ExitStack() as stack:
        for owner, attribute, changed in MUTANTS[name]():
            stack.enter_context(patch.object(owner, attribute, changed))
        yield


# ---- the api's commands ----


@mutant("pending commands are not met")
def _no_dedup() -> list[Change]:
    real = MemoryStreams._append

    def append(self: Any, partition: int, item: Any) -> Any:
        mode = AppendMode.REPLACE if item.mode is AppendMode.NEW else item.mode
        return real(self, partition, dataclasses.replace(item, mode=mode))

    return [(MemoryStreams, "_append", append)]


# ---- the commit ----


def unchecked_head(names: tuple[str, ...]) -> list[Change]:
    """A commit that takes these fields of the head as the server has them."""
    real = MemoryStreams._commit

    def commit(self: Any, batch: CommitBatch) -> Head | None:
        current = self._head(batch.partition, genesis=batch.head.hash)
        known = dataclasses.replace(batch.head, **{name: getattr(current, name) for name in names})
        return real(self, dataclasses.replace(batch, head=known))

    return [(MemoryStreams, "_commit", commit)]


@mutant("a commit checks the epoch, but not the head")
def _no_head_check() -> list[Change]:
    return unchecked_head(("seq", "hash", "commands_cursor", "results_cursor"))


@mutant("a commit checks neither the epoch nor seq and hash")
def _no_epoch_check() -> list[Change]:
    return unchecked_head(("epoch", "seq", "hash"))


@mutant("the results cursor stays")
def _cursor_stays() -> list[Change]:
    real = Scheduler._decide

    def decide_all(self: Any, partition: Any, *args: Any) -> Pass:
        each = real(self, partition, *args)
        each.batch.results_cursor = partition.head.results_cursor
        return each

    return [(Scheduler, "_decide", decide_all)]


@mutant("the cursor passes an input over")
def _cursor_skips() -> list[Change]:
    real = Scheduler._decide

    def decide_all(self: Any, partition: Any, inputs: Any, arrivals: Any, now: Any) -> Pass:
        return real(self, partition, inputs, arrivals[1:] if len(arrivals) > 2 else arrivals, now)

    return [(Scheduler, "_decide", decide_all)]


@mutant("a refused commit counts as done")
def _refusal_ignored() -> list[Change]:
    real = MemoryStreams.commit

    async def commit(self: Any, batches: Any) -> Any:
        answers = await real(self, batches)
        for batch in batches:
            if answers[batch.partition] is None:
                seq, digest = batch.head.seq + len(batch.bodies), batch.hash or batch.head.hash
                answers[batch.partition] = dataclasses.replace(self._head(batch.partition), seq=seq, hash=digest)
        return answers

    return [(MemoryStreams, "commit", commit)]


# ---- the decisions ----


@mutant("attempts are not compared")
def _no_attempt_check() -> list[Change]:
    def report(draft: Any, message: Any, accept: Any) -> None:
        run = draft.object.runs[message.operation]
        if run.state is OperationState.QUEUED:
            decide.begin(draft, message.operation, message.attempt, message)
        elif run.state is not OperationState.RUNNING:
            return
        accept(draft, run, message)
        decide.advance(draft)

    return [(decide, "report", report)]


@mutant("a repeated input is decided again")
def _nothing_remembered() -> list[Change]:
    return [(ProcessingObject, "remember", lambda self, key: None)]


@mutant("tasks are queued while a parent still runs")
def _children_early() -> list[Change]:
    real = decide.advance
    ready = {OperationState.SUCCEEDED, OperationState.RUNNING}

    def advance(draft: Any) -> None:
        for name, run in list(draft.object.runs.items()):
            parents = [draft.object.runs[parent].state for parent in run.planned.requires]
            if not draft.object.is_cancelling and run.state is OperationState.PENDING and ready.issuperset(parents):
                draft.add(OperationQueued(operation=name, attempt=run.attempt + 1))
        real(draft)

    return [(decide, "advance", advance)]


# ---- the scheduler's memory ----


@mutant("finished objects leave before they are projected")
def _early_eviction() -> list[Change]:
    real = Partition.committed

    def committed(self: Any, head: Head) -> None:
        real(self, dataclasses.replace(head, projected=head.seq))
        self.head = head

    return [(Partition, "committed", committed)]


@mutant("timers are not set when a partition is taken up")
def _lost_timers() -> list[Change]:
    real = Partition.__init__

    def init(self: Any, *args: Any) -> None:
        real(self, *args)
        self._wakes = []

    return [(Partition, "__init__", init)]


@mutant("losses are decided before every look has succeeded")
def _losses_between_looks() -> list[Change]:
    real = Watch.lost_tasks

    async def lost_tasks(self: Any, number: int, partition: Partition) -> Found:
        found = await real(self, number, partition)
        early = Pass(partition, partition_now(self))
        for loss, origin in found.losses:
            early.take(loss, origin)
        return found

    return [(Watch, "lost_tasks", lost_tasks)]


def partition_now(watch: Any) -> Any:
    """Some time for a decision that is never committed."""
    return watch._census._clock.now()


@mutant("workers are lost when a task takes long")
def _takeover_by_idle_time() -> list[Change]:
    real = Watch.lost_tasks

    async def lost_tasks(self: Any, number: int, partition: Partition) -> Found:
        found = await real(self, number, partition)
        since = self.__dict__.setdefault("since", {})
        now_s = self._census._clock.monotonic()
        for pool, consumers in (await self._port.holders(number, ["default"])).items():
            for consumer, count in consumers.items():
                if not count:
                    since.pop(consumer, None)
                elif now_s - since.setdefault(consumer, now_s) > 1.5:
                    await self._take_from(found, number, pool, consumer)
        return found

    return [(Watch, "lost_tasks", lost_tasks)]


# ---- tasks ----


@mutant("a task is acknowledged when it is claimed")
def _ack_first() -> list[Change]:
    real = MemoryTasks.claim

    async def claim(self: Any, *args: Any) -> Any:
        claims = await real(self, *args)
        for each in claims:
            self._server.give_up(keys.tasks(each.partition, each.pool), each.entry_id)
        return claims

    return [(MemoryTasks, "claim", claim)]


@mutant("a report that was not taken is dropped")
def _reports_dropped() -> list[Change]:
    async def flush(self: Any) -> None:
        batch, self._waiting = self._waiting, {}
        if batch:
            await self._port.finish(batch)

    return [(Reports, "flush", flush)]


@mutant("claims whose answer was lost are not looked for")
def _claims_lost() -> list[Change]:
    async def claim(self: Any, pool: str, count: int, wait_ms: int) -> Any:
        return self._remember(await self._port.claim(pool, self._worker, count, wait_ms))

    return [(Claims, "claim", claim)]


@mutant("withdraw takes a task from its holder")
def _withdraw_held() -> list[Change]:
    async def withdraw(self: Any, partition: int, tasks: Any) -> None:
        for pool, entry_id, report in tasks:
            if self._server.give_up(keys.tasks(partition, pool), entry_id):
                self._server.add(keys.results(partition), report)

    return [(MemoryStreams, "withdraw", withdraw)]


# ---- the projector ----


@mutant("the checkpoint moves unconditionally")
def _unconditional_checkpoint() -> list[Change]:
    return [(MemoryProjection, "is_at", lambda self, partition, before: True)]


@mutant("the projector passes an event over")
def _event_skipped() -> list[Change]:
    real = folding.fold_for_feed

    def fold_for_feed(before: Any, commit: Any) -> Any:
        if len(commit.events) > 3:
            commit = msgspec.structs.replace(commit, events=commit.events[:-1])
        return real(before, commit)

    return [(folding, "fold_for_feed", fold_for_feed)]


@mutant("what a dead projector did not feed stays unfed")
def _feed_not_completed() -> list[Change]:
    async def complete(self: Any, partition: int, until: int) -> None:
        return None

    return [(Projector, "_complete_feed", complete)]


# ---- repair ----


@mutant("the scheduler takes a fork up")
def _fork_taken() -> list[Change]:
    return [(loading, "is_fork", lambda head, checkpoint, first: False)]


@mutant("a repair reissues no tasks")
def _no_reissue() -> list[Change]:
    return [(reissue, "outstanding", lambda current: [])]
