"""A look at the streams from outside: is the server there, and how much waits in each partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from objproc.streams import keys
from objproc.streams.connection import Client, our_errors
from objproc.streams.durability import Assurance
from objproc.streams.ports import START, Load, Standing

UNKNOWN = Standing("", False, "nobody looked")
META = ("seq", "projected", "commands_cursor", "results_cursor")


class RedisInspection:
    """Figures for people; nothing is decided by them."""

    def __init__(self, client: Client, assurance: Assurance | None = None) -> None:
        self._client = client
        self._assurance = assurance

    async def ping(self) -> None:
        """TransientError where Redis does not answer."""
        async with our_errors():
            await self._client.ping()

    async def standing(self) -> Standing:
        """What an acknowledgement is worth."""
        return await self._assurance.standing() if self._assurance else UNKNOWN

    async def load(self, partitions: Sequence[int]) -> Load:
        """How full Redis is."""
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            pipe.info("memory")
            for partition in partitions:
                pipe.hlen(keys.pending(partition))
                pipe.xlen(keys.commands(partition))
            memory, *lengths = await pipe.execute()
        # the server does not count these buffers when it decides that it is full
        used = memory["used_memory"] - memory.get("mem_not_counted_for_evict", 0)
        backlog = sum(max(pair) for pair in zip(lengths[::2], lengths[1::2], strict=True))
        return Load(used, memory["maxmemory"], backlog)

    async def backlogs(self, partitions: Sequence[int], pools: Sequence[str]) -> list[dict[str, int]]:
        """By partition: head `seq`, `fed` commits, and waiting `commands`, `results` and `tasks`.

        Trimming is approximate, so where something waits, commands and results are upper bounds.
        """
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            for partition in partitions:
                pipe.hmget(keys.meta(partition), *META)
                for stream in (keys.commands(partition), keys.results(partition)):
                    pipe.xlen(stream)
                    pipe.xinfo_stream(stream)
                for pool in pools:
                    pipe.xlen(keys.tasks(partition, pool))
            replies = await pipe.execute(raise_on_error=False)
        return _figures(partitions, replies, 5 + len(pools))


def _figures(partitions: Sequence[int], replies: Sequence[Any], width: int) -> list[dict[str, int]]:
    figures = []
    for index, partition in enumerate(partitions):
        meta, *lengths = replies[index * width : (index + 1) * width]
        if isinstance(meta, Exception):
            raise meta
        seq, projected, commands, results = meta
        tasks = sum(length for length in lengths[4:] if isinstance(length, int))
        figures.append(
            {
                "partition": partition,
                "seq": int(seq or 0),
                "fed": int(projected or 0),
                "commands": _waiting(lengths[0], lengths[1], commands),
                "results": _waiting(lengths[2], lengths[3], results),
                "tasks": tasks,
            }
        )
    return figures


def _waiting(length: Any, stream: Any, cursor: bytes | None) -> int:
    """Entries after the cursor; 0 where the newest one was read already."""
    if isinstance(stream, ResponseError):  # there is no such stream yet
        return 0
    return 0 if stream["last-generated-id"] == (cursor or START.encode()) else int(length)
