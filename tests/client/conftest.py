"""The fake server on a real port, and both clients behind one face."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from client.fake_server import FakeServer
from objproc_client import AsyncClient, Client, Retries

AT_ONCE = Retries(pause_s=0.0)


class Host:
    """Serves whichever fake the running test put in."""

    def __init__(self) -> None:
        """Start with a fake of its own."""
        self.fake = FakeServer()
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        await self.fake(scope, receive, send)


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """One uvicorn for all tests, on a free port."""
    host = Host()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        host.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(host, log_level=60, ws="none", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the fake server does not start"
            time.sleep(0.005)
        yield host
        server.should_exit = True
        thread.join()


@pytest.fixture
def server(host: Host, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A fresh fake; $OBJPROC_URL names it."""
    host.fake = FakeServer()
    monkeypatch.setenv("OBJPROC_URL", host.url)
    return host.fake


@pytest.fixture
def dead_url() -> Iterator[str]:
    """An address where nothing listens, and nothing else will begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


class Awaited:
    """An AsyncClient behind the face of a Client: the same cases test both."""

    def __init__(self, client: AsyncClient) -> None:
        """Run `client` on a loop of its own."""
        self._client = client
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Any:
        """Wait for what a method gives."""

        def call(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self._client, name)(*args, **kwargs)
            return self._runner.run(result if inspect.iscoroutine(result) else collect(result))

        return call

    def leave(self) -> None:
        """Close client and loop."""
        self._runner.run(self._client.close())
        self._runner.close()


async def collect(items: AsyncIterator[Any]) -> list[Any]:
    """Take everything."""
    return [item async for item in items]


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, server: FakeServer) -> Iterator[Any]:
    """Either client; it repeats without pauses."""
    if request.param == "sync":
        with Client(retries=AT_ONCE) as client:
            yield client
    else:
        awaited = Awaited(AsyncClient(retries=AT_ONCE))
        yield awaited
        awaited.leave()
