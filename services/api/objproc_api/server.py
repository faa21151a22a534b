"""The HTTP server, told to stop by the service and not by signals of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.types import ASGIApp

from objproc.errors import SetupError
from objproc.settings import AuthMode, Settings
from objproc.telemetry import Log
from objproc_api.feed import FeedHub

GRACE_S = 10
BACKLOG = 1024
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
OPEN_MODES = frozenset({AuthMode.NONE})

log = Log("server")


class Server(uvicorn.Server):
    """uvicorn without its signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's own affair."""
        yield


def refuse_open_door(settings: Settings) -> None:
    """SetupError where the API would let anybody in who can reach it."""
    is_reachable = settings.api_host not in LOOPBACK
    if settings.auth_mode in OPEN_MODES and is_reachable and not settings.auth_none_is_allowed:
        raise SetupError(
            f"AUTH_MODE={settings.auth_mode} on {settings.api_host} would let anybody in: listen on 127.0.0.1, "
            "or set AUTH_NONE_IS_ALLOWED=true where something in front checks who calls"
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. SetupError where the address cannot be had."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise SetupError(f"cannot listen on {host} port {port}: {error}") from error


async def serve_http(app: ASGIApp, listener: socket.socket, hub: FeedHub, stopping: asyncio.Event) -> None:
    """Serve until told to stop; then end the streams, and let requests finish for GRACE_S."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = Server(config)

    async def stop() -> None:
        await stopping.wait()
        hub.close()
        server.should_exit = True

    stopper = asyncio.create_task(stop())
    with closing(listener):
        host, port = listener.getsockname()[:2]
        log.info("listening", host=host, port=port)
        try:
            await server.serve(sockets=[listener])
        finally:
            stopper.cancel()
