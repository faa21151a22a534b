"""Workers: the real Claims, Reports and InlineWorker, around operations whose fate is drawn from the task."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from objproc.domain.commands import Report, TaskFailed, TaskHandedBack, TaskStarted, TaskStopped, TaskSucceeded
from objproc.domain.content import Artifact, Failure
from objproc.domain.tasks import Task
from objproc.heartbeat import Pulse
from objproc.operations import OperationError
from objproc.streams.memory import MemoryTasks
from objproc.streams.ports import START, Claimed
from objproc.wire.codec import decode_report, decode_task
from objproc.wire.envelope import Origin
from objproc_worker.claims import Claims
from objproc_worker.inline import POOL as INLINE
from objproc_worker.inline import InlineWorker
from objproc_worker.reports import Reports
from simulation.process import Line, Process
from simulation.roles import beat
from simulation.timeline import park, pause

if TYPE_CHECKING:
    from simulation.world import World

DEFAULT = "default"
SLOTS = 2
WAIT_MS = 1000
FOREVER_S = 3600.0

Key = tuple[str, str, int]


def number_of(task: Task) -> int:
    """0 to 99: what becomes of this attempt."""
    return zlib.crc32(f"{task.params['chance']}:{task.operation}:{task.attempt}".encode()) % 100


def run_inline(task: Task) -> dict[str, Any]:
    """An operation of microseconds."""
    number = number_of(task)
    if number < 70:
        return {"number": number}
    if number < 95:
        raise OperationError("unlucky", "bad luck", is_retryable=number < 88)
    raise ValueError("a bug of the operation")


class UnthreadedInlineWorker(InlineWorker):
    """Without the thread that keeps an operation away from the heartbeats: here nothing takes time."""

    async def _run_all(self, tasks: Sequence[Task]) -> list[TaskSucceeded | TaskFailed]:
        return [self._run(task) for task in tasks]


@dataclass(slots=True)
class Held:
    """A task in hand."""

    claimed: Claimed
    task: Task
    origin: Origin
    is_cancelled: bool = False
    started_at: datetime | None = None
    who: dict[str, Any] = field(default_factory=dict)


class SimulatedWorker:
    """As objproc_worker.worker, without event loop and sandbox."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.process = process = world.process("worker")
        tasks: Any = Line(process, MemoryTasks(world.server, world.partitions))
        streams: Any = Line(process, world.streams)
        self._tasks = tasks
        self._claims = Claims(tasks, process.name)
        self._reports = Reports(tasks, self._claims, process.name, process.clock)
        self._inline = UnthreadedInlineWorker(self._claims, self._reports, process.name, process.clock)
        self._pulse = Pulse(streams, "worker", process.name, process.clock)
        self._pulse.facts = lambda: {"pools": [INLINE, DEFAULT]}
        self._controls = dict.fromkeys(range(world.partitions), START)
        self._held: dict[Key, Held] = {}
        process.start(self._live())

    async def _live(self) -> None:
        process = self.process
        await process.until_ready(self._pulse.step)
        process.start(beat(process, self._pulse.step))
        process.start(process.run(self._claim))
        process.start(process.run(self._watch_controls))
        process.start(self._report())
        await process.run(self._inline.step)
        while self._held:
            self.world.timeline.tell(f"stop {process.name}", 0.0)
            await pause(0.05)
        await process.at_leisure(self._reports.flush)
        await process.at_leisure(self._pulse.stop)
        process.die()

    async def _claim(self) -> None:
        if len(self._held) >= SLOTS:
            await pause(0.2)
            return
        for claimed in await self._claims.claim(DEFAULT, 1, WAIT_MS):
            task, origin = decode_task(claimed.body)
            who = {"object_id": task.object_id, "operation": task.operation, "attempt": task.attempt}
            held = Held(claimed, task, origin, who=who)
            self._held[task.object_id, task.operation, task.attempt] = held
            self.process.start(self._work(held))

    async def _watch_controls(self) -> None:
        for entry in await self._tasks.controls(self._controls, WAIT_MS):
            self._controls[entry.partition] = entry.entry_id
            report, _ = decode_report(entry.body)
            if isinstance(report, TaskStopped):
                held = self._held.get((report.object_id, report.operation, report.attempt))
                if held is not None:
                    held.is_cancelled = True
                    self.world.timeline.tell(f"stop {self.process.name}", 0.0)

    async def _report(self) -> None:
        async def send() -> None:
            await park((f"report {self.process.name}",), 1.0)
            await self._reports.flush()

        await self.process.run(send)

    async def _work(self, held: Held) -> None:
        report = await self._attempt(held)
        self.world.judge.ends(held.task)
        self._held.pop((held.task.object_id, held.task.operation, held.task.attempt), None)
        self._add(held, report, is_final=True)

    def _add(self, held: Held, report: Report, *, is_final: bool) -> None:
        self._reports.add(held.claimed, report, held.origin, is_final=is_final)
        self.world.timeline.tell(f"report {self.process.name}", 0.0)

    def _is_stopped(self, held: Held) -> bool:
        return held.is_cancelled or self.process.is_stopping

    async def _attempt(self, held: Held) -> Report:
        if self._is_stopped(held):
            return self._stopped(held)
        self.world.judge.executes(held.task, self.process)
        worker, held.started_at = self.process.name, self.process.clock.now()
        self._add(held, TaskStarted(**held.who, worker=worker, at=held.started_at), is_final=False)
        number = number_of(held.task)
        lasts_s = 0.01 * number if number < 80 else 2.0 if number < 92 else FOREVER_S
        timeline = self.world.timeline
        deadline_s = timeline.now_s + held.task.deadline_ms / 1000
        ends_s = min(timeline.now_s + lasts_s, deadline_s)
        while timeline.now_s < ends_s:
            await park((f"stop {worker}",), ends_s - timeline.now_s)
            if self._is_stopped(held):
                return self._stopped(held)
        if ends_s == deadline_s:
            return self._failed(held, "deadline", is_retryable=True)
        if 65 <= number < 92:
            return self._failed(held, "unlucky", is_retryable=number < 84)
        digest = f"{held.task.operation}{held.task.attempt}{held.task.params['chance']}".ljust(64, "0")
        artifacts = (Artifact(name="a", media_type="text/plain", size=1, sha256=digest),)
        return TaskSucceeded(**held.who, worker=worker, started_at=held.started_at, artifacts=artifacts)

    def _stopped(self, held: Held) -> Report:
        if held.is_cancelled:
            return TaskStopped(**held.who)
        return TaskHandedBack(**held.who, worker=self.process.name)

    def _failed(self, held: Held, code: str, *, is_retryable: bool) -> TaskFailed:
        assert held.started_at is not None
        return TaskFailed(
            **held.who,
            worker=self.process.name,
            started_at=held.started_at,
            failure=Failure(code=code, message=code, operation=held.task.operation),
            is_retryable=is_retryable,
        )


def start_worker(world: World) -> Process:
    """A worker begins."""
    return SimulatedWorker(world).process
