"""The whole system on this machine: the servers and the services, supervised."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from objproc_embedded.answers import http_status
from objproc_embedded.keeper import Tell
from objproc_embedded.log import Log
from objproc_embedded.readiness import READY_TIMEOUT_S, wait_until
from objproc_embedded.servers import Servers
from objproc_embedded.services import COMMANDS, Commands, Services
from objproc_embedded.supervisor import tell_stderr


class Stack:
    """`async with Stack() as stack:` runs everything; inside, `stack.url` answers.

    `data`: the folder that keeps everything; a temporary one when None.
    `port`: of the API; a free one when None.
    `replicas`: how many processes of a service, `{"worker": 2}`.
    `env`: put over the person's own environment; an empty value takes a name away from it.
    `commands`: what runs as each service, where it is not the service itself.
    """

    def __init__(
        self,
        data: Path | None = None,
        port: int | None = None,
        *,
        replicas: Mapping[str, int] | None = None,
        env: Mapping[str, str] | None = None,
        commands: Commands = COMMANDS,
        tell: Tell = tell_stderr,
    ) -> None:
        self._port = port
        self._replicas = replicas or {}
        self._commands = commands
        self._servers = Servers(data, env=env, tell=tell)
        self._services: Services
        self._started: list[str] = []
        self._exits = AsyncExitStack()

    @property
    def urls(self) -> list[str]:
        """The addresses of the API's replicas."""
        return [f"http://{f'[{host}]' if ':' in host else host}:{port}" for host, port in self._services.addresses]

    @property
    def url(self) -> str:
        """The address of the API's first replica."""
        return self.urls[0]

    @property
    def env(self) -> dict[str, str]:
        """The environment the services get, but for what each replica has of its own."""
        return self._servers.env

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._servers.folder.path

    def pids(self, name: str) -> list[int]:
        """The pids of a service's or server's running processes: `worker` all, `worker-2` one of them."""
        return self._servers.pids(name)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send these processes a signal; those that end by it are started again."""
        self._servers.kill(name, number)

    async def stop(self, name: str) -> None:
        """Stop a service or server, until `start`."""
        await self._servers.stop(name)

    async def start(self, name: str) -> None:
        """Start again what `stop` stopped, without waiting until it answers."""
        await self._servers.start(name)

    def log(self, name: str) -> Log:
        """The log of one process."""
        return self._servers.supervisor.keepers(name)[0].log

    def hurry(self) -> None:
        """Grant what is being stopped no more grace."""
        self._servers.supervisor.hurry()

    async def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return once every replica of the API says that the whole is healthy."""
        watched = self._services.names
        await wait_until(self._is_healthy, self._servers.supervisor, watched, time.monotonic() + timeout_s)

    async def __aenter__(self) -> Self:
        self._services = Services(self._servers.own_env, self._port, self._replicas, self._commands)
        self._exits.callback(self._services.release)
        try:
            await self._servers.launch()
            self._exits.push_async_callback(self._servers.close)
            self._exits.push_async_callback(self._stop_services)
            for program in self._services.programs(self._servers.folder, self._servers.env):
                self._started.append(program.name)
                await self._servers.supervisor.start(program, self._servers.folder)
            await self._servers.wait_ready()
            await self.wait_ready(READY_TIMEOUT_S)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the services at the same time, then the servers; nothing is left but the data."""
        await self._exits.aclose()

    async def _stop_services(self) -> None:
        await self._servers.supervisor.stop_together(self._started)

    async def _is_healthy(self) -> bool:
        answers = [await http_status(host, port, "GET", "/health", {}) for host, port in self._services.addresses]
        return all(status == 200 for status, _ in answers)
