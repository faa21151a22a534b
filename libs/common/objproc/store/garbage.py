"""Bytes in S3 that nothing refers to any more, as PostgreSQL knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from objproc.store.pool import Pool, our_errors


class GarbagePort(Protocol):
    """What may be swept."""

    async def unneeded(self, grace_s: float, count: int) -> list[tuple[str, str]]:
        """(tenant, sha256) of bytes that have been garbage for `grace_s` seconds and that nothing needs again."""
        ...

    async def forget(self, swept: Sequence[tuple[str, str]]) -> None:
        """These bytes are gone."""
        ...


class PostgresGarbage:
    """GarbagePort over PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def unneeded(self, grace_s: float, count: int) -> list[tuple[str, str]]:
        async with our_errors(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "DELETE FROM garbage AS g USING artifact_references AS r"
                " WHERE r.tenant = g.tenant AND r.sha256 = g.sha256"
            )
            rows = await connection.fetch(
                "SELECT tenant, sha256 FROM garbage WHERE since < now() - make_interval(secs => $1) LIMIT $2",
                grace_s,
                count,
            )
        return [(row["tenant"], row["sha256"]) for row in rows]

    async def forget(self, swept: Sequence[tuple[str, str]]) -> None:
        async with our_errors():
            await self._pool.execute(
                "DELETE FROM garbage AS g USING unnest($1::text[], $2::text[]) AS n (tenant, sha256)"
                " WHERE g.tenant = n.tenant AND g.sha256 = n.sha256",
                *zip(*swept, strict=True),
            )
