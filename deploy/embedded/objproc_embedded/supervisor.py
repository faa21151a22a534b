"""The programs of one stack, kept running together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from objproc_embedded.child import Program
from objproc_embedded.errors import StackError
from objproc_embedded.folder import DataFolder
from objproc_embedded.keeper import Keeper, Tell
from objproc_embedded.log import Log

LOG_CHECK_S = 5.0


def tell_stderr(line: str) -> None:
    """Tell the person at the terminal."""
    print(f"objproc: {line}", file=sys.stderr, flush=True)


class Supervisor:
    """Starts programs, keeps them running, and stops them; several may share the first part of a name."""

    def __init__(self, tell: Tell = tell_stderr) -> None:
        self._tell = tell
        self._keepers: dict[str, Keeper] = {}
        self._trimmer: asyncio.Task[None] | None = None

    async def start(self, program: Program, data: DataFolder) -> None:
        """Start a program and keep it running; its log and the note of its pid go to the data folder."""
        log = Log(data.subfolder("log") / f"{program.name}.log")
        keeper = Keeper(program, log, data.record, self._tell)
        self._keepers[program.name] = keeper
        if self._trimmer is None:
            self._trimmer = asyncio.create_task(self._trim_logs(), name="log trimmer")
        await keeper.start()

    def keepers(self, name: str) -> list[Keeper]:
        """The keepers of a program and its replicas: `worker` names worker, worker-1, worker-2 …"""
        found = [keeper for key, keeper in self._keepers.items() if key == name or key.rpartition("-")[0] == name]
        if not found:
            raise StackError(f"no program is called {name}; there are {', '.join(self._keepers)}")
        return found

    def all(self) -> list[Keeper]:
        """Every keeper, in the order of the starts."""
        return list(self._keepers.values())

    async def stop_together(self, names: Iterable[str]) -> None:
        """Stop these programs at the same time."""
        keepers = [keeper for name in names for keeper in self.keepers(name)]
        await asyncio.gather(*(keeper.stop() for keeper in keepers))

    async def close(self) -> None:
        """Stop what still runs, the last started first."""
        for keeper in reversed(self.all()):
            await keeper.stop()
        if self._trimmer:
            self._trimmer.cancel()
            await asyncio.gather(self._trimmer, return_exceptions=True)

    def hurry(self) -> None:
        """Grant no more grace: whatever still runs ends now."""
        for keeper in self.all():
            keeper.hurry()

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_S)
            for keeper in self.all():
                keeper.log.trim()
