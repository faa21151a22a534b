"""The way to PostgreSQL: an asyncpg pool, and its errors as ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from objproc.errors import TransientError

Pool = Any
"""asyncpg.Pool; the package carries no types."""
Connection = Any
"""asyncpg.Connection."""

COMMAND_TIMEOUT_S = 60.0

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke while it was being used says so in this way, too
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)


async def connect_pool(url: str, size_max: int) -> Pool:
    """A pool that opens connections as they are needed. TransientError while the server is away."""
    async with our_errors():
        return await asyncpg.create_pool(
            url, min_size=0, max_size=size_max, command_timeout=COMMAND_TIMEOUT_S, timeout=5.0
        )


@asynccontextmanager
async def our_errors() -> AsyncIterator[None]:
    """A server that is away or overloaded is transient; anything else is a bug."""
    try:
        yield
    except AWAY as error:
        raise TransientError(f"PostgreSQL: {type(error).__name__}: {error}") from error
