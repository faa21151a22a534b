"""The proxy does to connections what it is told to, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chaos.proxy import Proxy

REPLY = b"0123456789"


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """In front of a server that answers anything with ten bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(100):
                writer.write(REPLY)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as running:
        yield running
    server.close()


async def ask(proxy: Proxy, within_s: float = 5.0) -> bytes:
    """What the server's answer looks like from here, up to ten bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    heard = b""
    try:
        async with asyncio.timeout(within_s):
            writer.write(b"a question")
            while len(heard) < len(REPLY) and (data := await reader.read(100)):
                heard += data
    finally:
        writer.transport.abort()
    return heard


async def test_everything_passes_through(proxy: Proxy) -> None:
    assert await ask(proxy) == REPLY


async def test_a_reply_is_cut_in_its_middle_once(proxy: Proxy) -> None:
    proxy.cut_replies(1, 4)
    try:
        heard = await ask(proxy)
    except ConnectionResetError:
        heard = b""
    assert REPLY.startswith(heard)
    assert len(heard) <= 4
    assert proxy.hits == 1
    assert await ask(proxy) == REPLY


async def test_a_reset_after_success_brings_no_byte(proxy: Proxy) -> None:
    proxy.cut_replies(1, 0)
    with pytest.raises(ConnectionResetError):
        await ask(proxy)


async def test_what_is_refused_is_reset_until_the_proxy_heals(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionResetError):
        await ask(proxy)
    proxy.heal()
    assert await ask(proxy) == REPLY


async def test_what_is_stalled_arrives_later(proxy: Proxy) -> None:
    proxy.stall()
    with pytest.raises(TimeoutError):
        await ask(proxy, 0.1)
    later = asyncio.create_task(ask(proxy))
    await asyncio.sleep(0.05)
    proxy.heal()
    assert await later == REPLY


async def test_an_unavailable_server_answers_503(proxy: Proxy) -> None:
    proxy.answer_503()
    assert (await ask(proxy)).startswith(b"HTTP/1.1 503 Slow Down")


def test_a_url_keeps_its_credentials_and_path() -> None:
    proxy = Proxy("127.0.0.1", 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Proxy, "port", 4321)
        assert proxy.url("redis://:secret@127.0.0.1:9/0") == "redis://:secret@127.0.0.1:4321/0"
        assert proxy.url("http://127.0.0.1:8333") == "http://127.0.0.1:4321"
