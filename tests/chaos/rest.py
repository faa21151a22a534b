"""Whether anything is still going on, or was left over: I9 and I12."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import asyncpg
from redis.exceptions import ResponseError

from chaos.findings import Findings
from objproc.errors import TransientError
from objproc.streams import keys
from objproc.streams.connection import Client, our_errors

REST_WITHIN_S = 60.0
POLL_S = 0.25


async def unrest(connection: asyncpg.Connection, redis: Client) -> list[str]:
    """What is still going on, in words; empty at rest."""
    found = []
    live = await connection.fetchval("SELECT count(*) FROM objects WHERE state IN ('PENDING', 'QUEUED', 'PROCESSING')")
    if live:
        found.append(f"{live} objects are alive")
    async with our_errors():
        for row in await connection.fetch("SELECT partition, seq FROM checkpoints ORDER BY partition"):
            found += await _unrest_of(redis, row["partition"], row["seq"])
    return found


async def _unrest_of(redis: Client, partition: int, projected: int) -> list[str]:
    names = ("seq", "projected", "commands_cursor", "results_cursor")
    seq, fed, commands, results = await redis.hmget(keys.meta(partition), *names)
    found = []
    if int(seq or 0) != projected or int(fed or 0) != projected:
        found.append(f"partition {partition}: head {seq!r}, projected {projected}, fed {fed!r}")
    if held := await redis.hlen(keys.pending(partition)):
        found.append(f"partition {partition}: {held} commands in the pending hash")
    for stream, cursor in ((keys.commands(partition), commands), (keys.results(partition), results)):
        newest = await redis.execute_command("XREVRANGE", stream, "+", "-", "COUNT", 1)
        if newest and place_of(newest[0][0]) > place_of(cursor or b"0-0"):
            found.append(f"{stream}: read up to {cursor!r}, newest is {newest[0][0]!r}")
    for stream in await task_streams(redis, partition):
        if count := await redis.xlen(stream):
            found.append(f"{stream}: {count} tasks")
        if pending := await pending_entries(redis, stream):
            found.append(f"{stream}: {pending} pending entries")
    return found


async def task_streams(redis: Client, partition: int) -> list[str]:
    """The task streams of a partition, whatever their pools."""
    return [key.decode() async for key in redis.scan_iter(match=keys.tasks(partition, "*"), count=1000)]


async def pending_entries(redis: Client, stream: str) -> int:
    """How many entries somebody claimed and did not finish."""
    try:
        reply = await redis.execute_command("XPENDING", stream, keys.GROUP)
    except ResponseError:  # no worker ever came
        return 0
    return int(reply["pending"] if isinstance(reply, dict) else reply[0])


async def rest(connection: asyncpg.Connection, redis: Client, since_s: float, findings: Findings) -> float:
    """Wait until nothing goes on any more; seconds since `since_s` (monotonic). Blames I12 and I9 if it takes long."""
    findings.look("I12")
    while True:
        try:
            reasons: Sequence[str] = await unrest(connection, redis)
        except (TransientError, OSError) as error:
            reasons = [f"cannot look: {error}"]
        took_s = time.monotonic() - since_s
        if not reasons:
            findings.look("I9")
            return took_s
        if took_s > REST_WITHIN_S:
            findings.blame("I12", f"not at rest after {took_s:.0f} s: {len(reasons)} reasons, first: {reasons[0]}")
            for reason in reasons:
                findings.blame("I9", reason)
            return took_s
        await asyncio.sleep(POLL_S)


async def check_leftovers(connection: asyncpg.Connection, redis: Client, findings: Findings) -> None:
    """I9 once at rest: rows and keys that belong to nothing."""
    rows = await connection.fetch(
        "SELECT r.object_id, r.operation FROM running AS r LEFT JOIN objects AS o USING (object_id)"
        " WHERE o.state IS NULL OR o.state NOT IN ('PENDING', 'QUEUED', 'PROCESSING')"
    )
    findings.look("I9")
    for row in rows:
        findings.blame("I9", f"running: {row['operation']} of {row['object_id']}, which does not run")
    consumers = 0
    async for key in redis.scan_iter(match="objproc:*:tasks:*", count=1000):
        try:
            consumers += len(await redis.execute_command("XINFO", "CONSUMERS", key, keys.GROUP))
        except ResponseError:
            continue
    size = await redis.dbsize()
    findings.notes.append(f"{size} keys in Redis, {consumers} consumers in the groups of all task streams")


def place_of(entry_id: bytes) -> tuple[int, int]:
    """A stream entry's id, to compare by."""
    first, _, second = entry_id.partition(b"-")
    return int(first), int(second or 0)
