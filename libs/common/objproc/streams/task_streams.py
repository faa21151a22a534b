"""TaskPort over Redis: claiming, finishing, stopping and progress of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import OutOfMemoryError, ResponseError

from objproc.streams import keys
from objproc.streams.connection import Call, Client, our_errors, run_scripts
from objproc.streams.ports import Claimed, Entry, Finish
from objproc.streams.redis import PROGRESS_ENTRIES_MAX, entries_of, streams_of


class RedisTasks:
    """The worker's side of the task streams of all partitions."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions
        self._turn = 0

    async def claim(self, pool: str, consumer: str, count: int, wait_ms: int) -> list[Claimed]:
        """Without waiting first, stream after stream, so that no more is claimed than asked for; then waiting."""
        async with our_errors():
            try:
                return await self._claim(pool, consumer, count, wait_ms)
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self._create_groups(pool)
                return []

    async def held(self, pool: str, consumer: str) -> list[Claimed]:
        streams = {keys.tasks(partition, pool): partition for partition in range(self._partitions)}
        async with our_errors():
            try:
                reply = await self._client.execute_command(
                    "XREADGROUP", "GROUP", keys.GROUP, consumer, "STREAMS", *streams, *(["0"] * len(streams))
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                return []
        return claims_of(reply, streams, pool)

    async def _claim(self, pool: str, consumer: str, count: int, wait_ms: int) -> list[Claimed]:
        claimed: list[Claimed] = []
        if count < self._partitions:
            self._turn = (self._turn + 1) % self._partitions
            for step in range(self._partitions):
                partition = (self._turn + step) % self._partitions
                claimed += await self._take([partition], pool, consumer, count - len(claimed), 0)
                if len(claimed) == count:
                    return claimed
            if claimed:
                return claimed
            return await self._take(range(self._partitions), pool, consumer, 1, wait_ms)
        share = max(1, count // self._partitions)
        return await self._take(range(self._partitions), pool, consumer, share, wait_ms)

    async def _take(
        self, partitions: Sequence[int], pool: str, consumer: str, count: int, wait_ms: int
    ) -> list[Claimed]:
        streams = {keys.tasks(partition, pool): partition for partition in partitions}
        block = ("BLOCK", wait_ms) if wait_ms else ()
        arguments = ["GROUP", keys.GROUP, consumer, "COUNT", count, *block, "STREAMS", *streams]
        reply = await self._client.execute_command("XREADGROUP", *arguments, *([">"] * len(streams)))
        return claims_of(reply, streams, pool)

    async def _create_groups(self, pool: str) -> None:
        pipe = self._client.pipeline(transaction=False)
        for partition in range(self._partitions):
            pipe.execute_command("XGROUP", "CREATE", keys.tasks(partition, pool), keys.GROUP, "0", "MKSTREAM")
        # BUSYGROUP only says that the group is there; a full server is to be waited for
        for reply in await pipe.execute(raise_on_error=False):
            if isinstance(reply, OutOfMemoryError):
                raise reply

    async def finish(self, batches: Mapping[int, Sequence[Finish]]) -> None:
        calls: list[Call] = []
        for partition, finishes in batches.items():
            pools = list(dict.fromkeys(finish.pool for finish in finishes))
            index = {pool: 2 + position for position, pool in enumerate(pools)}
            arguments: list[Any] = [keys.results(partition), *(keys.tasks(partition, pool) for pool in pools)]
            for finish in finishes:
                arguments += (index[finish.pool], finish.entry_id or "", finish.body)
            calls.append(("finish", 1 + len(pools), arguments))
        await run_scripts(self._client, calls)

    async def controls(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        streams = {keys.control(partition): partition for partition in cursors}
        block = ("BLOCK", wait_ms) if wait_ms else ()
        async with our_errors():
            reply = await self._client.execute_command(
                "XREAD", "COUNT", 100, *block, "STREAMS", *streams, *cursors.values()
            )
        return [entry for key, raw in streams_of(reply) for entry in entries_of(streams[key], raw)]

    async def progress(self, items: Mapping[int, Sequence[bytes]]) -> None:
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            for partition, bodies in items.items():
                for body in bodies:
                    pipe.execute_command(
                        "XADD", keys.progress(partition), "MAXLEN", "~", PROGRESS_ENTRIES_MAX, "*", keys.BODY, body
                    )
            await pipe.execute()


def claims_of(reply: Sequence[Any] | None, streams: Mapping[str, int], pool: str) -> list[Claimed]:
    """Tasks of a raw XREADGROUP reply; an entry that was deleted meanwhile has no fields and is none."""
    return [
        Claimed(streams[key], pool, entry_id.decode(), fields[1])
        for key, raw in streams_of(reply)
        for entry_id, fields in raw
        if fields
    ]
