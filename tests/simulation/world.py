"""One schedule: a world made from a seed, its faults, and its way to rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from objproc.errors import TransientError
from objproc.streams.memory import MemoryStreams
from objproc.streams.memory_server import State
from objproc_worker import inline
from simulation.clients import SimulatedApi, Watch, again, start_api
from simulation.faults import JUMPS_S, Switches, draw_faults
from simulation.invariants import ViolatedError
from simulation.judge import Judge
from simulation.plans import Order, draw_orders
from simulation.process import Process
from simulation.roles import start_projector, start_scheduler
from simulation.stores import MemoryProjection, WatchedServer
from simulation.timeline import HostClock, Timeline
from simulation.workers import run_inline, start_worker

STARTERS: dict[str, Callable[[World], Process]] = {}
REST_WITHIN_S = 60.0
TRACE_LINES = 60
LATENCY_S = (0.001, 0.015)
OUTAGE_S = (0.3, 4.0)
SLOW_S = (0.2, 5.0)


class World:
    """Servers, processes, users, and a judge."""

    def __init__(
        self, seed: int, switches: Switches | None = None, on_line: Callable[[str], None] | None = None
    ) -> None:
        self.seed = seed
        self.chance = Random(seed)
        self.switches = switches or Switches()
        self.timeline = Timeline()
        self.faults = draw_faults(self.chance)
        self.partitions = self.chance.choice((1, 2))
        self.loses_suffix = self.chance.random() < self.switches.loses_suffix
        self.loses_everything = self.chance.random() < self.switches.loses_everything
        self.lost_at_s = 0.0
        """When Redis last lost something."""
        self._connections = 0
        self._is_down_until_s = 0.0
        self.clock = HostClock(self.timeline, 1000.0)
        self._clocks = [self.clock]
        self.server = WatchedServer(self.clock, self._written)
        self.streams = MemoryStreams(self.server)
        self.projection = MemoryProjection(self.partitions)
        self.judge = Judge(self)
        self.watches: list[Watch] = []
        self.processes: list[Process] = []
        self._waiting_orders = 0
        self._number = 0
        self._on_line = on_line
        self.trace: deque[tuple[float, str, Any]] = deque(maxlen=TRACE_LINES)

    # ---- for processes ----

    def next_number(self) -> int:
        """1, 2, …"""
        self._number += 1
        return self._number

    def latency_s(self) -> float:
        """How long a message is on its way."""
        chance = self.chance
        if self.faults.is_on and chance.random() < self.faults.slow:
            return chance.uniform(*SLOW_S)
        return chance.uniform(*LATENCY_S)

    def connection_of(self, method: Any) -> int | None:
        """Names the connection to Redis that a call goes over; None for PostgreSQL's."""
        return None if method.__self__ is self.projection else self._connections

    def expect(self, connection: int | None) -> None:
        """TransientError where the connection was cut, or the server is away."""
        if connection is not None and (connection != self._connections or self.timeline.now_s < self._is_down_until_s):
            raise TransientError("Redis is away")

    def process(self, role: str) -> Process:
        """A new process on a host of its own."""
        clock = HostClock(self.timeline, self.chance.uniform(0, 100_000))
        self._clocks.append(clock)
        process = Process(self, role, clock)
        self.processes.append(process)
        self.tell(f"{process.name} starts")
        return process

    def effect(self, process: Process, name: str, method: Callable[..., Coroutine[Any, Any, Any]], args: Any) -> Any:
        """The call takes effect, in one moment; then the judge looks."""
        self._trace(f"{process.name} {name}", args)
        answer = perform(method, args)
        if name == "commit":
            self.judge.look_at_logs()
        elif name == "write":
            self.judge.look_at_rows(args[0])
        return answer

    def buried(self, process: Process) -> None:
        """A process is dead: another one of its role comes, and its users ask again."""
        self.processes.remove(process)
        delay_s = self.chance.uniform(0.05, 3.0)
        self.timeline.at(self.timeline.now_s + delay_s, lambda: STARTERS[process.role](self) and None)
        if isinstance(process.work, SimulatedApi):
            for order in process.work.orders:
                self.ask_again(order)
            for watch in process.work.watches:
                self.watch(watch)

    def tell(self, line: str) -> None:
        """For the trace of a failure."""
        self._trace(line, None)

    # ---- users ----

    def ask(self, order: Order) -> None:
        """A user turns to some replica of the api."""
        replicas = [process.work for process in self.processes if isinstance(process.work, SimulatedApi)]
        if not replicas:
            self.timeline.at(self.timeline.now_s + 0.5, lambda: self.ask(order))
            return
        self._waiting_orders -= 1
        self.chance.choice(replicas).take(order)

    def ask_again(self, order: Order) -> None:
        """The user got no answer."""
        later = again(order, self.timeline.now_s + self.chance.uniform(0.05, 2.0))
        if later is not None and self.chance.random() < 0.9:
            self._expect(later)

    def _expect(self, order: Order) -> None:
        self._waiting_orders += 1
        self.timeline.at(order.at_s, lambda: self.ask(order))

    def watch(self, watch: Watch) -> None:
        """A client of the event stream connects to some replica, sooner or later."""
        if watch not in self.watches:
            self.watches.append(watch)

        def connect() -> None:
            replicas = [process.work for process in self.processes if isinstance(process.work, SimulatedApi)]
            if replicas:
                self.chance.choice(replicas).follow(watch)
            else:
                self.timeline.at(self.timeline.now_s + 0.5, connect)

        self.timeline.at(self.timeline.now_s + self.chance.uniform(0.01, 1.0), connect)

    # ---- the whole ----

    def run(self) -> None:
        """Live through the schedule; ViolatedError, or whatever a bug raises."""
        real, inline.execute = inline.execute, self._run_inline
        try:
            self._populate()
            self.timeline.run_until(self.faults.until_s)
            self._calm()
            self._come_to_rest()
            self.judge.hold_court()
        finally:
            inline.execute = real
            self.timeline.close()

    def unrest(self) -> str:
        """What of the users' business is open."""
        if self._waiting_orders:
            return "users wait to ask"
        for process in self.processes:
            if isinstance(process.work, SimulatedApi) and process.work.orders:
                return "users wait for answers"
            if broken := getattr(process.work, "broken", None):
                return f"{process.name} stands still: {broken}"
        open_watches = [watch.object_id for watch in self.watches if not watch.is_over]
        if missing := [name for name in open_watches if not self.lost_at_s or name in self.projection.objects]:
            return f"clients still watch {missing}"
        return ""

    def _populate(self) -> None:
        chance = self.chance
        counts = {"scheduler": chance.choice((1, 2, 2)), "projector": chance.choice((1, 2)), "worker": 2, "api": 1}
        for role, count in counts.items():
            for _ in range(count):
                STARTERS[role](self)
        for order in draw_orders(chance, self.faults.until_s):
            self._expect(order)
        for _ in range(chance.choice((0, 0, 1, 2))):
            self.timeline.at(chance.uniform(0, self.faults.until_s), self._jump)
        for _ in range(chance.choice((0, 0, 1))):
            self.timeline.at(chance.uniform(0, self.faults.until_s), self._stop_one)
        if self.loses_suffix:
            begins_s = chance.uniform(0, self.faults.until_s)
            self.timeline.at(begins_s, lambda: self._lose(chance.uniform(0.05, 3.0)))
        if self.loses_everything:
            self.timeline.at(chance.uniform(0, self.faults.until_s), lambda: self._restore(State(), "everything"))

    def _jump(self) -> None:
        clock = self.chance.choice(self._clocks)
        clock.wrong_by_s = self.chance.choice(JUMPS_S)
        self.tell(f"a wall clock jumps by {clock.wrong_by_s} s")

    def _stop_one(self) -> None:
        if self.processes:
            process = self.chance.choice(self.processes)
            process.is_stopping = True
            self.tell(f"{process.name} is told to stop")

    def _lose(self, seconds: float) -> None:
        state = self.server.snapshot()
        what = f"its last {seconds:.3f} s"
        self.timeline.at(self.timeline.now_s + seconds, lambda: self._restore(state, what))

    def _restore(self, state: State, what: str) -> None:
        self.tell(f"Redis loses {what}")
        self.lost_at_s = self.timeline.now_s
        self._connections += 1
        self._is_down_until_s = self.timeline.now_s + self.chance.uniform(*OUTAGE_S)
        self.server.restore(state)

    def _calm(self) -> None:
        """All faults off: clocks are right again, nobody freezes or dies any more."""
        self.tell("faults off")
        self.faults.is_on = False
        for clock in self._clocks:
            clock.wrong_by_s = 0.0

    def _come_to_rest(self) -> None:
        deadline_s = self.timeline.now_s + REST_WITHIN_S
        while unrest := self.judge.unrest():
            if self.timeline.now_s > deadline_s:
                wait_s = self.judge.next_wake_s()
                if wait_s <= 0:
                    raise ViolatedError("I12", f"no rest after {REST_WITHIN_S} s: {unrest}")
                # timers that a wrong clock set: let it be that late everywhere
                for clock in self._clocks:
                    clock.wrong_by_s += wait_s
                deadline_s = self.timeline.now_s + REST_WITHIN_S
            self.timeline.run_until(self.timeline.now_s + 0.5)

    def _run_inline(self, task: Any) -> Any:
        self.judge.executes(task)
        return run_inline(task)

    def _written(self, kind: str) -> None:
        self.timeline.tell(kind, 0.001)

    def _trace(self, line: str, args: Any) -> None:
        entry = (self.timeline.now_s, line, args)
        self.trace.append(entry)
        if self._on_line is not None:
            self._on_line(line_of(entry))


def perform(method: Callable[..., Coroutine[Any, Any, Any]], args: Any) -> Any:
    """The adapter's answer: over memory it never waits."""
    coroutine = method(*args)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("an adapter over memory waited")


def line_of(entry: tuple[float, str, Any]) -> str:
    """An entry of the trace, as text."""
    now_s, line, args = entry
    return f"{now_s:9.3f}  {line}" + (f"  {str(args)[:300]}" if args is not None else "")


STARTERS |= {
    "scheduler": start_scheduler,
    "projector": start_projector,
    "worker": start_worker,
    "api": start_api,
}
