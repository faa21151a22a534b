"""A process of the simulation: role, host, strands, and the faults that befall its calls to the servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from objproc.errors import TransientError
from simulation.timeline import HostClock, Owner, park, pause

if TYPE_CHECKING:
    from simulation.world import World

TOPICS = {
    "read": ("commands", "results"),
    "claim": ("tasks",),
    "controls": ("control",),
    "read_projection": ("events", "progress"),
    "read_feed": ("feed",),
}
"""Calls that wait at the server, and the kinds of streams that end their wait."""
OF_PARTITIONS = {"commit", "finish", "append", "progress"}
"""Calls that reach the partitions one after the other."""
REPEATABLE = {"commit", "finish", "append", "publish", "write", "beat", "hold", "open", "withdraw", "release"}
"""Calls that a proxy or a retransmission may let arrive twice. Claims are not: our client never repeats."""
NOTHING: tuple[Any, ...] = ({}, [], ({}, {}))
PAUSE_FIRST_S, PAUSE_MAX_S = 0.05, 2.0
FREEZE_S = (0.5, 9.0)

Method = Callable[..., Coroutine[Any, Any, Any]]


class Process(Owner):
    """One instance of a service, or a client's computer."""

    def __init__(self, world: World, role: str, clock: HostClock) -> None:
        self.world = world
        self.role = role
        self.clock = clock
        self.name = f"{role}-{world.next_number()}"
        self.is_stopping = False
        self.work: object = None
        self._flights: dict[int, tuple[str, Method, tuple[Any, ...]]] = {}

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine until the process dies."""
        self.world.timeline.start(coroutine, self)

    def works_as(self, work: object) -> None:
        """The role object, for those who look from outside."""
        self.work = work

    def may_go_on(self) -> bool:
        """Die or freeze here, if the seed says so."""
        faults = self.world.faults
        if not faults.is_on:
            return True
        dice = self.world.chance.random()
        if dice < faults.crash:
            self.die()
            return False
        if dice < faults.crash + faults.freeze:
            self.frozen_until_s = self.world.timeline.now_s + self.world.chance.uniform(*FREEZE_S)
            self.world.tell(f"{self.name} freezes until {self.frozen_until_s:.3f}")
            return False
        return True

    def die(self) -> None:
        """All memory is gone; what is under way may still arrive."""
        world = self.world
        self.is_dead = True
        world.tell(f"{self.name} dies")
        for name, method, args in self._flights.values():
            if world.chance.random() < world.faults.outlives:
                delay_s = world.chance.choice((0.01, 0.5, 4.0))
                world.timeline.at(world.timeline.now_s + delay_s, partial(self._arrive_late, name, method, args))
        world.buried(self)

    async def run(self, step: Callable[[], Awaitable[object]]) -> None:
        """Repeat `step` as lifecycle.run does, until the process is told to stop."""
        pause_s = 0.0
        while not self.is_stopping:
            try:
                await step()
                pause_s = 0.0
            except TransientError as error:
                pause_s = min(PAUSE_MAX_S, max(PAUSE_FIRST_S, 2 * pause_s))
                self.world.tell(f"{self.name} waits: {error}")
                await pause(pause_s)

    async def until_ready(self, step: Callable[[], Awaitable[object]]) -> None:
        """Repeat `step` until no TransientError comes back."""
        while True:
            try:
                await step()
                return
            except TransientError:
                await pause(PAUSE_FIRST_S)

    async def at_leisure(self, step: Callable[[], Awaitable[object]]) -> None:
        """One last try."""
        try:
            await step()
        except TransientError:
            return

    async def call(self, name: str, method: Method, args: tuple[Any, ...]) -> Any:
        """A call to a server: on its way, its effect, and the answer's way back; each may go wrong."""
        world, faults = self.world, self.world.faults
        flight = world.next_number()
        connection = world.connection_of(method)
        self._flights[flight] = (name, method, args)
        await pause(world.latency_s())
        del self._flights[flight]
        world.expect(connection)
        if faults.is_on:
            dice = world.chance.random()
            if dice < faults.fails_before:
                raise TransientError(f"{name} was not reached")
            if faults.cut and name in OF_PARTITIONS and world.chance.random() < faults.cut:
                args = self._cut(name, args)
                world.effect(self, name, method, args)
                raise TransientError(f"{name} was cut off")
            if name in REPEATABLE and world.chance.random() < faults.twice:
                world.effect(self, name, method, args)
        answer = world.effect(self, name, method, args)
        if name in TOPICS and answer in NOTHING:
            await park(TOPICS[name], args[-1] / 1000)
            world.expect(connection)
            answer = world.effect(self, name, method, args)
        await pause(world.latency_s())
        world.expect(connection)
        if faults.is_on and world.chance.random() < faults.fails_after:
            world.tell(f"{self.name}: the answer of {name} is lost")
            raise TransientError(f"the answer of {name} was lost")
        return answer

    def _cut(self, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The part of the call that arrives."""
        (items,) = args
        kept = self.world.chance.randrange(len(items) + 1)
        return (items[:kept],) if name == "commit" else (dict(list(items.items())[:kept]),)

    def _arrive_late(self, name: str, method: Method, args: tuple[Any, ...]) -> None:
        if self.world.lost_at_s:
            return  # its server is no more
        self.world.tell(f"{name} of the dead {self.name} arrives")
        try:
            self.world.effect(self, name, method, args)
        except TransientError:
            return


class Line:
    """A process's way to a server: every method of the adapter, with everything that may befall a call."""

    def __init__(self, process: Process, adapter: object) -> None:
        self._process = process
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        process, method = self._process, getattr(self._adapter, name)

        async def call(*args: Any) -> Any:
            return await process.call(name, method, args)

        setattr(self, name, call)
        return call
