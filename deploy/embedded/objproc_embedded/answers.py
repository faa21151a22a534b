"""Asking a server whether it answers: one short exchange, no client library to import first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

ANSWER_TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 64 << 10


async def exchange(host: str, port: int, request: bytes) -> bytes:
    """Send, and receive until the server has no more to say; `OSError` where nobody answers."""
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(request)
            await writer.drain()
            received = b""
            while len(received) < ANSWER_BYTES_MAX and (part := await reader.read(ANSWER_BYTES_MAX)):
                received += part
            return received
        finally:
            writer.close()


async def http_status(host: str, port: int, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """The status and the text of an HTTP answer; 0 where none came."""
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    if not any(name.lower() == "host" for name in headers):
        lines.append(f"Host: {host}:{port}")
    try:
        answer = await exchange(host, port, ("\r\n".join(lines) + "\r\n\r\n").encode())
    except (OSError, TimeoutError):
        return 0, ""
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    parts = head.split(" ", 2)
    return (int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0), body
