"""One way to reach Redis: raw replies, scripts by digest, errors of our tree."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from objproc.errors import OverloadedError, PermanentError, TransientError

Client = Any
"""redis-py's client. Its own types leave bytes or str, sync or async open, where `connect` settles both."""

WAIT_MS_MAX = 5_000
SOCKET_TIMEOUT_S = 15.0
CONNECTIONS_MAX = 64
CONNECTION_WAIT_S = 5.0  # for a free connection; longer waits are the caller's to repeat
assert WAIT_MS_MAX < SOCKET_TIMEOUT_S * 1000

RAW_COMMANDS = ("XREAD", "XREADGROUP", "XRANGE", "XREVRANGE", "XPENDING")
TRANSIENT_PREFIXES = (
    "LOADING",
    "READONLY",
    "OOM",
    "MASTERDOWN",
    "MISCONF",
    "BUSY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "NOREPLICAS",
)

SCRIPTS = {
    name: files("objproc.streams").joinpath(f"{name}.lua").read_bytes()
    for name in (
        *("append", "commit", "finish", "withdraw", "publish", "restore"),
        *("hold", "release", "open", "forget", "note", "mark"),
    )
}
DIGESTS = {name: hashlib.sha1(text, usedforsecurity=False).hexdigest() for name, text in SCRIPTS.items()}


def connect(url: str) -> Client:
    """A client with its own pool. Nothing is retried here: each caller knows what a repeat means."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=CONNECTION_WAIT_S,
        protocol=2,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=3.0,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )
    client = Redis.from_pool(pool)
    raw: Any = _raw
    for command in RAW_COMMANDS:
        client.set_response_callback(command, raw)
    return client


def _raw(reply: Any, **_: Any) -> Any:
    return reply


@asynccontextmanager
async def our_errors() -> AsyncIterator[None]:
    """Redis's errors as ours: away, busy or full is transient; a refusal is not."""
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise TransientError(f"Redis: {error}") from error
    except ResponseError as error:
        if isinstance(error, OutOfMemoryError):
            raise OverloadedError(f"Redis: {error}") from error
        if is_transient(error):
            raise TransientError(f"Redis: {error}") from error
        raise PermanentError(f"Redis refuses: {error}") from error
    except RedisError as error:
        raise TransientError(f"Redis: {error}") from error
    except RuntimeError as error:
        if "handler is closed" not in str(error):
            raise
        # uvloop's word for a connection that its other end closed while it was being opened
        raise TransientError(f"Redis: {error}") from error


def is_transient(error: ResponseError) -> bool:
    """True where the server's refusal passes by itself."""
    text = str(error)
    kind = type(error).__name__
    return text.startswith(TRANSIENT_PREFIXES) or kind in {"ReadOnlyError", "BusyLoadingError"}


Call = tuple[str, int, Sequence[Any]]
"""Script name, number of keys, keys and arguments."""

Then = tuple[Sequence[Sequence[Any]], Callable[[Any], None]]
"""Commands that follow scripts on their connection, and who judges the reply to the last one."""


async def run_scripts(client: Client, calls: Sequence[Call], then: Then | None = None) -> list[Any]:
    """Run scripts in one round trip; a server that forgot them is taught them once."""
    heard: list[Any] = []
    async with our_errors():
        replies = await _pipeline(client, calls, then, heard)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            for text in SCRIPTS.values():
                await client.script_load(text.decode())
            missing = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            again = await _pipeline(client, [calls[index] for index in missing], then, heard)
            for index, reply in zip(missing, again, strict=True):
                replies[index] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
    for reply in heard:
        assert then is not None
        then[1](reply)
    return replies


async def _pipeline(client: Client, calls: Sequence[Call], then: Then | None, heard: list[Any]) -> list[Any]:
    """The scripts' replies; the last one to `then` goes to `heard`."""
    if len(calls) == 1 and then is None:
        name, keys, arguments = calls[0]
        try:
            return [await client.execute_command("EVALSHA", DIGESTS[name], keys, *arguments)]
        except NoScriptError as error:
            return [error]
    pipe = client.pipeline(transaction=False)
    for name, keys, arguments in calls:
        pipe.execute_command("EVALSHA", DIGESTS[name], keys, *arguments)
    for command in then[0] if then else ():
        pipe.execute_command(*command)
    replies: list[Any] = await pipe.execute(raise_on_error=False)
    if then:
        heard.append(replies[-1])
    return replies[: len(calls)]
