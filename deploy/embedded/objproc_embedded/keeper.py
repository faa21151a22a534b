"""Keeps one program running until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable

from objproc_embedded.child import Child, Program, describe_exit
from objproc_embedded.log import Log
from objproc_embedded.record import Record

DELAY_FIRST_S = 0.2
DELAY_MAX_S = 5.0
HEALTHY_AFTER_S = 30.0

Tell = Callable[[str], None]


class Keeper:
    """Starts the program again whenever it ends, later each time, and says so."""

    def __init__(self, program: Program, log: Log, record: Record, tell: Tell) -> None:
        self.program = program
        self.log = log
        self.restarts = 0
        self.deaths_in_a_row = 0
        self._record = record
        self._tell = tell
        self._child: Child | None = None
        self._refusal = "never started"
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the running child."""
        return self._child.pid if self._child and self._child.is_running else None

    async def start(self) -> None:
        """Start the program (again, after a `stop`); returns once it has a pid or could not be started."""
        if self._task is None:
            self._stopping.clear()
            await self._start_child()
            self._task = asyncio.create_task(self._run(), name=f"keeper of {self.program.name}")

    def send(self, number: signal.Signals) -> None:
        """Send the child a signal; should it end by it, it is started again."""
        if self._child:
            self._child.send(number)

    async def stop(self) -> None:
        """End the child, at the latest after its grace, and do not start it again."""
        self._stopping.set()
        await self._stop_child()
        task, self._task = self._task, None
        if task:
            await task
            await self._stop_child()  # it may have been about to start one

    def hurry(self) -> None:
        """End the child now, and do not start it again; `stop` has still to be awaited."""
        self._stopping.set()
        self.send(signal.SIGKILL)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            started_s = time.monotonic()
            reason = await self._ended()
            if self._stopping.is_set():
                break
            is_healthy = time.monotonic() - started_s >= HEALTHY_AFTER_S
            self.deaths_in_a_row = 1 if is_healthy else self.deaths_in_a_row + 1
            delay_s = min(DELAY_FIRST_S * 2 ** (self.deaths_in_a_row - 1), DELAY_MAX_S)
            self.restarts += 1
            self._tell(f"{self.program.name} ended ({reason}); restart {self.restarts} in {delay_s:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)
            if not self._stopping.is_set():
                await self._start_child()

    async def _start_child(self) -> None:
        try:
            self._child = await Child.start(self.program, self.log)
            self._record.add_child(self._child.pid)
        except OSError as error:
            self._child = None
            self._refusal = f"cannot be started: {error}"

    async def _stop_child(self) -> None:
        if self._child:
            await self._child.stop(self.program.stop_signal, self.program.grace_s)
            self._record.remove_child(self._child.pid)

    async def _ended(self) -> str:
        """Wait until the child has ended, clear up after it and say how it ended."""
        if self._child is None:
            return self._refusal
        code = await self._child.wait()
        self._child.sweep()
        self._record.remove_child(self._child.pid)
        return describe_exit(code)
