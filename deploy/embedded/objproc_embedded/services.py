"""The four services as programs to run, each as often as asked."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from objproc_embedded.child import Program
from objproc_embedded.errors import StackError
from objproc_embedded.folder import DataFolder
from objproc_embedded.ports import LOOPBACK, HeldPort, hold, hold_free

Commands = Mapping[str, Sequence[str]]

COMMANDS: Commands = {
    name: (sys.executable, "-m", f"objproc_{name}") for name in ("scheduler", "projector", "worker", "api")
}
REPLICAS_MAX = 64
WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104  # the person may ask for it; nothing here does


class Services:
    """What to run for the services; the API's ports are held from the beginning.

    `port`: of the API's first replica; None or 0 for a free one.
    `replicas`: how often, by service; else the environment's WORKERS, SCHEDULERS, PROJECTORS, APIS; else once.
    """

    def __init__(
        self, environment: Mapping[str, str], port: int | None, replicas: Mapping[str, int], commands: Commands
    ) -> None:
        unknown = sorted(set(replicas) - set(commands))
        if unknown:
            raise StackError(f"no service is called {', '.join(unknown)}")
        self._commands = commands
        self._replicas = {name: _replicas(name, replicas, environment) for name in commands}
        self._host = environment.get("API_HOST") or LOOPBACK
        self._ports: list[HeldPort] = []
        for index in range(self._replicas["api"]):
            is_asked_for = bool(port) and index == 0
            self._ports.append(hold(port or 0, self._host) if is_asked_for else hold_free())

    @property
    def names(self) -> list[str]:
        """The services, in the order of their starts."""
        return list(self._commands)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where the API's replicas answer."""
        host = LOOPBACK if self._host in WILDCARDS else self._host
        return [(host, port.number) for port in self._ports]

    def programs(self, data: DataFolder, environment: Mapping[str, str]) -> list[Program]:
        """One for each replica: `worker` where there is one, else `worker-1`, `worker-2` …"""
        replicas = ((name, index) for name in self._commands for index in range(self._replicas[name]))
        return [self._program(name, index, data, environment) for name, index in replicas]

    def release(self) -> None:
        """Let go of the ports, should no program have taken them."""
        for port in self._ports:
            port.release()

    def _program(self, service: str, index: int, data: DataFolder, environment: Mapping[str, str]) -> Program:
        name = service if self._replicas[service] == 1 else f"{service}-{index + 1}"
        own = {"PYTHONUNBUFFERED": "1", **environment}
        if service == "api":
            own |= {"API_HOST": self._host, "API_PORT": str(self._ports[index].number)}
        if service == "worker":
            own.setdefault("CACHE_DIR", str(data.subfolder("cache") / name))
        return Program(
            name=name,
            command=tuple(self._commands[service]),
            environment=own,
            folder=Path.cwd(),  # where `.env` and the person's own operation modules are
            orphan_signal=signal.SIGKILL,  # without servers it has nothing to end in order
            ports=(self._ports[index],) if service == "api" else (),
        )


def _replicas(name: str, replicas: Mapping[str, int], environment: Mapping[str, str]) -> int:
    variable = f"{name.upper()}S"
    text = str(replicas[name]) if name in replicas else environment.get(variable) or "1"
    if not text.isdecimal() or not 1 <= int(text) <= REPLICAS_MAX:
        raise StackError(f"{variable}={text}: how many is a number from 1 to {REPLICAS_MAX}")
    return int(text)
