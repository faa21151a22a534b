"""One child process: in a session of its own, bound to this process's life, its output in a file."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from objproc_embedded.log import Log
from objproc_embedded.ports import HeldPort

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a child runs and how it is ended."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    user: tuple[int, int] | None = None  # uid and gid, where they are not this process's
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    ports: tuple[HeldPort, ...] = field(default=())


class Child:
    """A started process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid
        self._is_swept = False

    @classmethod
    async def start(cls, program: Program, log: Log) -> Child:
        """Start the program, its output appended to the log; `OSError` where it cannot be."""
        for port in program.ports:
            port.release()
        output = log.open()
        try:
            return cls(await _start(program, output))
        finally:
            os.close(output)

    async def wait(self) -> int:
        """The exit code, or the negative number of the signal that ended it."""
        return await self._process.wait()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self, number: signal.Signals, grace_s: float) -> None:
        """Ask it to end; after the grace, end it and whatever it started."""
        self.send(number)
        self.send(signal.SIGCONT)  # one that was halted would not hear
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()
        self.sweep()

    def sweep(self) -> None:
        """End what an ended child has left in its process group; once, for later the pid may be another's."""
        if not self._is_swept:
            self._is_swept = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


async def _start(program: Program, output: int) -> asyncio.subprocess.Process:
    uid, gid = program.user or (None, None)
    return await asyncio.create_subprocess_exec(
        *program.command,
        cwd=program.folder,
        env=dict(program.environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor alone
        umask=0o077,
        user=uid,
        group=gid,
        extra_groups=None if gid is None else [],
        preexec_fn=_bound_to_parent(program.orphan_signal),
    )


def _bound_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What the child does before it becomes the program: ask for a signal when this process dies."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()

    def bind() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return bind


def describe_exit(code: int) -> str:
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
