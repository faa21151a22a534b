"""The api's SQL: what it reads of the projection and of the archive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from objproc.domain.content import Content
from objproc.domain.ids import partition_of
from objproc.store.pool import Pool, our_errors
from objproc.wire.codec import decode_content, decode_object
from objproc_api.ports import Filters
from objproc_api.views import Found

# progress beside the log concerns only what runs now
FOUND = """
SELECT o.aggregate, CASE WHEN o.state = 'PROCESSING' THEN (
    SELECT json_object_agg(r.operation, json_build_array(r.attempt, r.percent))
    FROM running AS r WHERE r.object_id = o.object_id
)::text END AS running
FROM objects AS o
WHERE o.tenant = $1
"""
BY_ID = FOUND + " AND o.object_id = $2"
NEWEST = FOUND + " AND o.identifier = $2 ORDER BY o.submitted_at DESC, o.object_id DESC LIMIT 1"
COMMITS = """
SELECT body FROM events WHERE partition = $1 AND object_id = $2 AND version_to > $3 ORDER BY version_from LIMIT $4
"""
KEPT = "SELECT EXISTS (SELECT FROM artifact_references WHERE tenant = $1 AND sha256 = $2)"
CONTENT = "SELECT aggregate FROM contents WHERE object_id = $1 AND tenant = $2"
LAST_CODE_POINT = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)


class PostgresQueries:
    """ObjectsPort, HistoryPort, ContentsPort, KeptPort and ReadinessPort over PostgreSQL."""

    def __init__(self, pool: Pool, partitions: int) -> None:
        self._pool = pool
        self._partitions = partitions

    async def by_id(self, tenant: str, object_id: str) -> Found | None:
        async with our_errors():
            row = await self._pool.fetchrow(BY_ID, tenant, UUID(object_id))
        return None if row is None else found_of(row)

    async def newest(self, tenant: str, identifier: str) -> Found | None:
        async with our_errors():
            row = await self._pool.fetchrow(NEWEST, tenant, identifier)
        return None if row is None else found_of(row)

    async def page(self, filters: Filters, limit: int) -> list[Found]:
        sql, arguments = page_statement(filters, limit)
        async with our_errors():
            rows = await self._pool.fetch(sql, *arguments)
        return [found_of(row) for row in rows]

    async def commits(self, object_id: str, after: int, count: int) -> list[bytes]:
        partition = partition_of(object_id, self._partitions)
        async with our_errors():
            rows = await self._pool.fetch(COMMITS, partition, UUID(object_id), after, count)
        return [row["body"] for row in rows]

    async def content(self, tenant: str, content_id: str) -> Content | None:
        async with our_errors():
            body = await self._pool.fetchval(CONTENT, UUID(content_id), tenant)
        return None if body is None else decode_content(body).content

    async def is_kept(self, tenant: str, sha256: str) -> bool:
        async with our_errors():
            return bool(await self._pool.fetchval(KEPT, tenant, sha256))

    async def ping(self) -> None:
        async with our_errors():
            await self._pool.fetchval("SELECT 1", timeout=2.0)


def found_of(row: Any) -> Found:
    """A row as the object it is."""
    running = orjson.loads(row["running"]) if row["running"] else {}
    return Found(decode_object(row["aggregate"]), {name: (told[0], told[1]) for name, told in running.items()})


def page_statement(filters: Filters, limit: int) -> tuple[str, list[object]]:
    """The list's statement and its arguments."""
    sql, arguments = FOUND, list[object]([filters.tenant])

    def argument(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    if filters.states:
        sql += f" AND o.state = ANY({argument(list(filters.states))}::text[])"
    if filters.identifier is not None and not filters.is_prefix:
        sql += f" AND o.identifier = {argument(filters.identifier)}"
    elif filters.identifier:
        # byte order, as the index has it: LIKE with an argument could not use the index
        sql += f" AND o.identifier ~>=~ {argument(filters.identifier)}"
        if beyond := after_prefix(filters.identifier):
            sql += f" AND o.identifier ~<~ {argument(beyond)}"
    if filters.after is not None:
        at, object_id = filters.after
        sql += f" AND (o.submitted_at, o.object_id) < ({argument(at)}, {argument(UUID(object_id))})"
    return sql + f" ORDER BY o.submitted_at DESC, o.object_id DESC LIMIT {argument(limit)}", arguments


def after_prefix(prefix: str) -> str | None:
    """The least text greater than every text that begins with `prefix`, in byte order; None for no end."""
    while prefix:
        following = ord(prefix[-1]) + 1
        if following in SURROGATES:
            following = SURROGATES.stop
        if following <= LAST_CODE_POINT:
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return None
