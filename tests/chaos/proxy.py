"""A TCP proxy on loopback that stands in front of a server and does to connections what networks do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 64 << 10
DRAIN_S = 0.2
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: closing resets
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>planned fault</Message></Error>"
UNAVAILABLE = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n" + (
    b"Content-Length: %d\r\n\r\n%b" % (len(SLOW_DOWN), SLOW_DOWN)
)


class Proxy:
    """`async with Proxy(host, port) as proxy:` passes everything through until it is told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._is_refusing = False
        self._is_unavailable = False
        self._cuts_left = 0
        self._cut_after_bytes = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self.hits = 0
        """Connections that a fault has met."""

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.heal()
        self._reset_all()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def url(self, url: str) -> str:
        """The server's URL, by way of this proxy."""
        parts = urlsplit(url)
        credentials, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{self.port}"))

    def cut_replies(self, count: int, after_bytes: int) -> None:
        """Cut the next `count` connections in the middle of a reply, after that many of its bytes.

        0 bytes: the server has done what was asked, and the client sees a reset.
        """
        self._cuts_left, self._cut_after_bytes = count, after_bytes

    def stall(self) -> None:
        """Let nothing through, and close nothing."""
        self._flowing.clear()
        self.hits += len(self._open) // 2

    def refuse(self) -> None:
        """Reset every connection, and every new one."""
        self._is_refusing = True
        self._reset_all()

    def answer_503(self) -> None:
        """Answer every HTTP request with 503 Slow Down."""
        self._is_unavailable = True

    def heal(self) -> None:
        """Pass everything through again."""
        self._is_refusing = self._is_unavailable = False
        self._cuts_left = 0
        self._flowing.set()

    def _reset_all(self) -> None:
        self.hits += len(self._open) // 2
        for writer in list(self._open):
            reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        try:
            await self._link(reader, writer)
        except OSError:
            reset(writer)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_refusing:
            self.hits += 1
            reset(writer)
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ends = {writer, far_writer}
        self._open |= ends
        try:
            asked = asyncio.create_task(self._pass_requests(reader, far_writer, writer))
            answered = asyncio.create_task(self._pass_replies(far_reader, writer))
            done, others = await asyncio.wait({asked, answered}, return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
            await asyncio.gather(*done, *others, return_exceptions=True)
        finally:
            self._open -= ends
            for end in ends:
                end.close()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, near: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._flowing.wait()
            if self._is_unavailable:
                self.hits += 1
                near.write(UNAVAILABLE)
                await near.drain()
                with contextlib.suppress(TimeoutError):  # a reset would overtake the answer
                    async with asyncio.timeout(DRAIN_S):
                        while await reader.read(CHUNK_BYTES):
                            pass
                return
            far.write(data)
            await far.drain()

    async def _pass_replies(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        left: int | None = None
        while data := await far.read(CHUNK_BYTES):
            await self._flowing.wait()
            if left is None and self._cuts_left:
                self._cuts_left -= 1
                left = self._cut_after_bytes
            if left is not None and left <= len(data):
                near.write(data[:left])
                if left:
                    await near.drain()
                self.hits += 1
                reset(near)
                return
            left = None if left is None else left - len(data)
            near.write(data)
            await near.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that its other end sees a reset."""
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
