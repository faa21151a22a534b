"""Valkey, PostgreSQL and S3 as supervised child processes, for a stack or for the tests of adapters."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from objproc_embedded.environment import has_one_of, own_environment
from objproc_embedded.folder import DataFolder
from objproc_embedded.keeper import Tell
from objproc_embedded.postgres import Postgres
from objproc_embedded.readiness import READY_TIMEOUT_S, wait_until
from objproc_embedded.seaweed import SeaweedFS
from objproc_embedded.server import Server
from objproc_embedded.supervisor import Supervisor, tell_stderr
from objproc_embedded.valkey import Valkey

KINDS = (Valkey, SeaweedFS, Postgres)  # the first two start up while the third makes its cluster


class Servers:
    """`async with Servers() as servers:` runs the servers which the environment does not name already.

    `data`: the folder that keeps everything; a temporary one when None.
    `env`: put over the person's own environment; an empty value takes a name away from it.
    """

    def __init__(
        self, data: Path | None = None, *, env: Mapping[str, str] | None = None, tell: Tell = tell_stderr
    ) -> None:
        self._data = data
        self._servers: list[Server] = []
        self._exits = AsyncExitStack()
        self.own_env = own_environment(env)
        self.supervisor = Supervisor(tell)
        self.folder: DataFolder

    @property
    def env(self) -> dict[str, str]:
        """The person's environment with the addresses and credentials of all three servers."""
        embedded = {name: value for server in self._servers for name, value in server.environment.items()}
        return self.own_env | embedded

    def pids(self, name: str) -> list[int]:
        """The pids of valkey, postgres or s3; empty while it is being restarted."""
        return [keeper.pid for keeper in self.supervisor.keepers(name) if keeper.pid]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send valkey, postgres or s3 a signal; if it ends by it, it is started again."""
        for keeper in self.supervisor.keepers(name):
            keeper.send(number)

    async def stop(self, name: str) -> None:
        """Stop valkey, postgres or s3, until `start`."""
        await self.supervisor.stop_together([name])

    async def start(self, name: str) -> None:
        """Start again what `stop` stopped."""
        for keeper in self.supervisor.keepers(name):
            await keeper.start()

    async def __aenter__(self) -> Self:
        await self.launch()
        try:
            await self.wait_ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def launch(self) -> None:
        """Start the servers, without waiting until they answer."""
        try:
            self.folder = DataFolder.open(self._data or self._temporary_folder())
            self._exits.callback(self.folder.close)
            self._exits.callback(self.folder.remove_scratch)
            await self.folder.end_leftovers()
            for kind in KINDS:
                if not has_one_of(self.own_env, kind.replaced_by):
                    self._servers.append(self._server(kind))
                    self._exits.callback(self._servers[-1].clear)
            self._exits.push_async_callback(self.supervisor.close)
            for server in self._servers:
                await self.supervisor.start(server.prepare(), self.folder)
        except BaseException:
            await self.close()
            raise

    async def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return once every server answers; `StartFailedError` with the ends of the logs where one does not."""
        deadline_s = time.monotonic() + timeout_s
        for server in self._servers:
            await wait_until(server.is_ready, self.supervisor, [server.name], deadline_s)

    async def close(self) -> None:
        """Stop the servers, the last started first; nothing is left but the data."""
        await self._exits.aclose()
        self._servers.clear()

    def _server(self, kind: type[Valkey] | type[SeaweedFS] | type[Postgres]) -> Server:
        maxmemory = self.own_env.get("VALKEY_MAXMEMORY")
        return Valkey(self.folder, maxmemory) if kind is Valkey and maxmemory else kind(self.folder)

    def _temporary_folder(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="objproc-"))
        self._exits.callback(shutil.rmtree, path, ignore_errors=True)
        return path
