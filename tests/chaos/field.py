"""The system under fault: real servers, proxies in front of them, the services behind the proxies."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from chaos.proxy import Proxy
from objproc_embedded.servers import Servers
from objproc_embedded.stack import Stack
from objproc_embedded.supervisor import Supervisor

TESTS = Path(__file__).parents[1]
ROLES = ("api", "scheduler", "worker", "projector")
REPLICAS = 2
HEARTBEAT_MS = 1000
LEASE_MS = 3000
URLS = {"redis": "REDIS_URL", "postgres": "DATABASE_URL", "s3": "S3_ENDPOINT_URL"}
NOT_THE_PERSONS = dict.fromkeys((*URLS.values(), "S3_BUCKET"), "")
SETTINGS = {
    "OPERATION_MODULES": "e2e.odd_chain,bench.noop_chain",
    "PYTHONPATH": os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH")))),
    "HEARTBEAT_MS": str(HEARTBEAT_MS),
    "LEASE_MS": str(LEASE_MS),
    "ARTIFACT_GRACE_S": "60",
    "SWEEP_EVERY_S": "2",
}


@dataclass(kw_only=True)
class Field:
    """Everything a fault may touch."""

    servers: Servers
    stack: Stack
    proxies: dict[str, Proxy]
    chance: random.Random
    struck: list[tuple[str, str, float]] = field(default_factory=list)
    """(kind, part, Unix seconds) of each fault that met something."""
    worker_kills: list[tuple[int, float]] = field(default_factory=list)
    forgiven: list[tuple[float, float]] = field(default_factory=list)

    def note(self, kind: str, part: str, at: float) -> None:
        """A fault met something."""
        self.struck.append((kind, part, at))

    def replica(self) -> str:
        """One of our processes."""
        return f"{self.chance.choice(ROLES)}-{self.chance.randint(1, REPLICAS)}"

    def kill_ours(self, name: str) -> bool:
        """kill -9; whether there was a process to kill."""
        (keeper,) = self._supervisor.keepers(name)
        pid = keeper.pid
        if pid is None:
            return False
        keeper.deaths_in_a_row = 0  # they come often here; the pauses between restarts are not what is tested
        if name.startswith("worker"):
            self.worker_kills.append((pid, time.time()))
        keeper.send(signal.SIGKILL)
        return True

    def kill_server(self, name: str, number: signal.Signals) -> bool:
        """A signal to valkey, postgres or s3; whether there was a process."""
        (keeper,) = self.servers.supervisor.keepers(name)
        keeper.deaths_in_a_row = 0
        keeper.send(number)
        return keeper.pid is not None

    def resume(self) -> None:
        """Let everything that was frozen go on."""
        for role in ROLES:
            self.stack.kill(role, signal.SIGCONT)

    @property
    def _supervisor(self) -> Supervisor:
        return self.stack._servers.supervisor


@asynccontextmanager
async def running(data: Path, chance: random.Random, tell: list[str]) -> AsyncIterator[Field]:
    """Start everything in this folder, and stop it in the end."""
    async with AsyncExitStack() as exits:
        servers = await exits.enter_async_context(Servers(data / "servers", env=NOT_THE_PERSONS, tell=tell.append))
        proxies: dict[str, Proxy] = {}
        env = dict(servers.env) | SETTINGS
        for name, variable in URLS.items():
            parts = urlsplit(servers.env[variable])
            assert parts.hostname is not None
            assert parts.port is not None
            proxies[name] = await exits.enter_async_context(Proxy(parts.hostname, parts.port))
            env[variable] = proxies[name].url(servers.env[variable])
        stack = Stack(data / "services", replicas=dict.fromkeys(ROLES, REPLICAS), env=env, tell=tell.append)
        await exits.enter_async_context(stack)
        yield Field(servers=servers, stack=stack, proxies=proxies, chance=chance)
