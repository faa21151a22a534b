"""The worker's loop for operations that run in child processes: claim, fetch, run, upload, report."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from objproc.clock import Clock
from objproc.domain.commands import Report, TaskFailed, TaskHandedBack, TaskStarted, TaskStopped, TaskSucceeded
from objproc.domain.content import Failure
from objproc.domain.limits import ERROR_CHARS_MAX
from objproc.domain.tasks import Task
from objproc.errors import PermanentError
from objproc.lifecycle import at_leisure
from objproc.settings import Settings
from objproc.streams.ports import START, Claimed, TaskPort
from objproc.telemetry import Log
from objproc.wire.codec import decode_report, decode_task
from objproc.wire.envelope import Origin
from objproc_worker.claims import Claims
from objproc_worker.progress import ProgressTeller
from objproc_worker.reports import Reports
from objproc_worker.runs import OperationRunner, RunError

log = Log("worker")

WAIT_MS = 1000

Key = tuple[str, str, int]
"""Object id, operation and attempt: one task."""


@dataclass(slots=True)
class Held:
    """A task this worker holds."""

    claimed: Claimed
    task: Task
    origin: Origin
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    is_cancelled: bool = False
    started_at: datetime | None = None

    @property
    def key(self) -> Key:
        """What names the task."""
        return self.task.object_id, self.task.operation, self.task.attempt


class Worker:
    """Runs up to MAX_PARALLEL_WORKERS operations at a time."""

    def __init__(
        self,
        port: TaskPort,
        claims: Claims,
        runner: OperationRunner,
        reports: Reports,
        progress: ProgressTeller,
        clock: Clock,
        name: str,
        settings: Settings,
    ) -> None:
        self._port = port
        self._claims = claims
        self._runner = runner
        self._reports = reports
        self._progress = progress
        self._clock = clock
        self._name = name
        self._pools = list(settings.worker_pools)
        self._slots = asyncio.Semaphore(settings.max_parallel_workers)
        self._held: dict[Key, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._controls = dict.fromkeys(range(settings.partitions), START)

    def facts(self) -> dict[str, Any]:
        """What the worker says of itself in its signs of life."""
        running = [
            {"object_id": object_id, "operation": operation, "attempt": attempt}
            for object_id, operation, attempt in self._held
        ]
        return {"pools": self._pools, "running": running}

    async def step(self, pool: str) -> None:
        """Claim one task of `pool` as soon as a slot is free, and let it run; a pass does not wait long for either."""
        try:
            async with asyncio.timeout(WAIT_MS / 1000):
                await self._slots.acquire()
        except TimeoutError:
            return
        claims: list[Claimed] = []
        try:
            claims = await self._claims.claim(pool, 1, WAIT_MS)
        finally:
            if not claims:
                self._slots.release()
        for index, claimed in enumerate(claims):
            task, origin = decode_task(claimed.body)
            held = Held(claimed, task, origin)
            self._held[held.key] = held
            # streams that woke together may give more than one; those wait for the next free slot here
            work = asyncio.create_task(self._work(held, has_slot=index == 0))
            self._tasks.add(work)
            work.add_done_callback(self._tasks.discard)

    async def watch_controls(self) -> None:
        """Stop what the scheduler wants stopped."""
        for entry in await self._port.controls(self._controls, WAIT_MS):
            self._controls[entry.partition] = entry.entry_id
            report, _ = decode_report(entry.body)
            if isinstance(report, TaskStopped):
                held = self._held.get((report.object_id, report.operation, report.attempt))
                if held is not None:
                    held.is_cancelled = True
                    held.stop.set()

    async def finish(self, grace_s: float) -> None:
        """Let running work end within the grace period; hand back what does not."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for held in self._held.values():
            held.stop.set()
        while self._tasks:
            await asyncio.wait(self._tasks)
        async with at_leisure():
            await self._reports.flush()

    async def _work(self, held: Held, *, has_slot: bool) -> None:
        if not has_slot:
            await self._slots.acquire()
        try:
            report = await self._attempt(held)
        finally:
            self._slots.release()
            self._held.pop(held.key, None)
            self._progress.forget(held.key)
        self._reports.add(held.claimed, report, held.origin, is_final=True)

    async def _attempt(self, held: Held) -> Report:
        """Run the attempt and say how it ended. Storage that is away is waited for: that is no failure of the task."""
        object_id, operation, attempt = held.key
        if held.stop.is_set():
            return self._stopped(held)
        held.started_at = self._clock.now()
        started = TaskStarted(
            object_id=object_id, operation=operation, attempt=attempt, worker=self._name, at=held.started_at
        )
        self._reports.add(held.claimed, started, held.origin, is_final=False)
        try:
            async with AsyncExitStack() as stack:
                result = await self._runner.run(held.task, stack, held.stop, partial(self._progress.tell, held.task))
        except RunError as error:
            if error.code == "stopped":
                return self._stopped(held)
            return self._failed(held, error.code, error.message, is_retryable=error.is_retryable)
        except PermanentError as error:
            return self._failed(held, "storage", str(error), is_retryable=True)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not hold the task while this worker lives
            log.error("run_broke", operation=operation, object_id=object_id, error=repr(error))
            return self._failed(held, "internal", f"the worker failed: {type(error).__name__}", is_retryable=True)
        return TaskSucceeded(
            object_id=object_id,
            operation=operation,
            attempt=attempt,
            worker=self._name,
            started_at=held.started_at,
            artifacts=result.artifacts,
            summary=result.summary,
        )

    def _stopped(self, held: Held) -> Report:
        object_id, operation, attempt = held.key
        if held.is_cancelled:
            return TaskStopped(object_id=object_id, operation=operation, attempt=attempt)
        return TaskHandedBack(object_id=object_id, operation=operation, attempt=attempt, worker=self._name)

    def _failed(self, held: Held, code: str, message: str, *, is_retryable: bool) -> TaskFailed:
        object_id, operation, attempt = held.key
        assert held.started_at is not None
        return TaskFailed(
            object_id=object_id,
            operation=operation,
            attempt=attempt,
            worker=self._name,
            started_at=held.started_at,
            failure=Failure(code=code, message=message[:ERROR_CHARS_MAX], operation=operation),
            is_retryable=is_retryable,
        )
