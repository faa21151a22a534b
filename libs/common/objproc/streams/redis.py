"""The ports over Redis or Valkey: few commands with many arguments, one script call for a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from redis.exceptions import ResponseError

from objproc.errors import TransientError
from objproc.streams import keys
from objproc.streams.connection import Call, Client, our_errors, run_scripts
from objproc.streams.durability import Assurance
from objproc.streams.ports import (
    Append,
    Appended,
    CommitBatch,
    Entry,
    FeedItem,
    Head,
    Inputs,
)
from objproc.wire.envelope import GENESIS

FEED_ENTRIES_MAX = 2_000  # of each partition; whoever is further behind reads PostgreSQL
PROGRESS_ENTRIES_MAX = 2_000
CONTROL_ENTRIES_MAX = 1_000
LOG_ENTRIES_KEPT = 1_000  # after their projection, for readers of the log that are a little behind


def entries_of(partition: int, raw: Sequence[Any]) -> list[Entry]:
    """Entries of a raw XRANGE or XREAD reply."""
    return [Entry(partition, entry_id.decode(), fields[1] if fields else b"") for entry_id, fields in raw]


def streams_of(reply: Sequence[Any] | None) -> Iterator[tuple[str, Sequence[Any]]]:
    """Key and raw entries of each stream in an XREAD reply."""
    for key, raw in reply or ():
        yield key.decode(), raw


class RedisStreams:
    """All ports over one client. Blocking reads take a connection of the client's pool each."""

    def __init__(self, client: Client, assurance: Assurance | None = None) -> None:
        self._client = client
        self._assurance = assurance

    # ---- CommandPort, FeedPort ----

    async def append(self, batches: Mapping[int, Sequence[Append]]) -> dict[int, list[Appended]]:
        calls: list[Call] = []
        for partition, appends in batches.items():
            arguments: list[Any] = [keys.commands(partition), keys.pending(partition), keys.meta(partition)]
            for append in appends:
                arguments += (append.mode.value, append.object_id, append.command_id, append.body)
            calls.append(("append", 3, arguments))
        answers = await (self._assurance.write(calls) if self._assurance else run_scripts(self._client, calls))
        return {
            partition: [Appended(answer[0], earlier) for earlier in answer[1:]]
            for partition, answer in zip(batches, answers, strict=True)
        }

    async def pending(self, partition: int, object_ids: Sequence[str]) -> list[bytes | None]:
        async with our_errors():
            return list(await self._client.hmget(keys.pending(partition), list(object_ids)))

    async def tails(self, partitions: Sequence[int]) -> dict[int, str]:
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            for partition in partitions:
                pipe.execute_command("XREVRANGE", keys.feed(partition), "+", "-", "COUNT", 1)
            replies = await pipe.execute()
        return {p: raw[0][0].decode() if raw else "0-0" for p, raw in zip(partitions, replies, strict=True)}

    async def read_feed(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        return await self._read_all(keys.feed, cursors, 500, wait_ms)

    # ---- LeasePort ----

    async def hold(self, role: str, partitions: Sequence[int], owner: str, lease_ms: int) -> list[bool]:
        calls: list[Call] = [("hold", 1, [keys.lease(p, role), owner, lease_ms]) for p in partitions]
        return [answer == 1 for answer in await run_scripts(self._client, calls)] if calls else []

    async def release(self, role: str, partitions: Sequence[int], owner: str) -> None:
        calls: list[Call] = [("release", 1, [keys.lease(p, role), owner]) for p in partitions]
        if calls:
            await run_scripts(self._client, calls)

    # ---- SchedulerPort ----

    async def open(self, partition: int) -> Head:
        (answer,) = await run_scripts(self._client, [("open", 1, [keys.meta(partition), GENESIS])])
        return _head_of(answer)

    async def restore(
        self, partition: int, epoch: int, seq: int, digest: str, resubmitted: Sequence[Append]
    ) -> Head | None:
        async with our_errors():
            tasks = sorted([key async for key in self._client.scan_iter(match=keys.tasks(partition, "*"), count=1000)])
        arguments: list[Any] = [
            keys.meta(partition),
            keys.events(partition),
            keys.commands(partition),
            keys.pending(partition),
            keys.feed(partition),
            *tasks,
            epoch,
            seq,
            digest,
            LOG_ENTRIES_KEPT,
            len(resubmitted),
        ]
        for append in resubmitted:
            arguments += (append.mode.value, append.object_id, append.command_id, append.body)
        (answer,) = await run_scripts(self._client, [("restore", 5 + len(tasks), arguments)])
        return _head_of(answer) if answer else None

    async def read(self, heads: Mapping[int, Head], count: int, wait_ms: int) -> dict[int, Inputs]:
        if not heads:
            await asyncio.sleep(wait_ms / 1000)
            return {}
        streams: dict[str, tuple[int, bool]] = {}
        cursors: list[str] = []
        for partition, head in heads.items():
            streams[keys.commands(partition)] = (partition, True)
            streams[keys.results(partition)] = (partition, False)
            cursors += (head.commands_cursor, head.results_cursor)
        reply = await self._xread(list(streams), cursors, count, wait_ms)
        inputs: dict[int, Inputs] = {}
        for key, raw in streams_of(reply):
            partition, is_commands = streams[key]
            found = inputs.setdefault(partition, Inputs())
            if is_commands:
                found.commands = entries_of(partition, raw)
            else:
                found.results = entries_of(partition, raw)
        return inputs

    async def commit(self, batches: Sequence[CommitBatch]) -> dict[int, Head | None]:
        answers = await run_scripts(self._client, [_commit_call(batch) for batch in batches])
        heads: dict[int, Head | None] = {}
        for batch, answer in zip(batches, answers, strict=True):
            heads[batch.partition] = _head_after(batch, answer[1]) if answer[0] == 1 else None
        return heads

    async def withdraw(self, partition: int, tasks: Sequence[tuple[str, str, bytes]]) -> None:
        pools = sorted({pool for pool, _, _ in tasks})
        arguments: list[Any] = [keys.results(partition), keys.control(partition)]
        arguments += [keys.tasks(partition, pool) for pool in pools]
        arguments.append(CONTROL_ENTRIES_MAX)
        for pool, entry_id, report in tasks:
            arguments += (3 + pools.index(pool), entry_id, report)
        await run_scripts(self._client, [("withdraw", 2 + len(pools), arguments)])

    async def read_log(self, partition: int, after: int, count: int) -> list[Entry]:
        async with our_errors():
            raw = await self._client.execute_command(
                "XRANGE", keys.events(partition), f"({after}-0", "+", "COUNT", count
            )
        return entries_of(partition, raw)

    # ---- TaskWatchPort ----

    async def holders(self, partition: int, pools: Sequence[str]) -> dict[str, dict[str, int]]:
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            for pool in pools:
                pipe.xinfo_consumers(keys.tasks(partition, pool), keys.GROUP)
            replies = await pipe.execute(raise_on_error=False)
            found: dict[str, dict[str, int]] = {}
            for pool, reply in zip(pools, replies, strict=True):
                if not isinstance(reply, Exception):
                    found[pool] = {row["name"].decode(): row["pending"] for row in reply}
                elif not _is_without_group(reply):
                    raise reply
        return found

    async def held(self, partition: int, pool: str, consumer: str, count: int) -> list[Entry]:
        key = keys.tasks(partition, pool)
        async with our_errors():
            rows = await self._client.execute_command("XPENDING", key, keys.GROUP, "-", "+", count, consumer)
            pipe = self._client.pipeline(transaction=False)
            for row in rows:
                pipe.execute_command("XRANGE", key, row[0], row[0])
            replies = await pipe.execute() if rows else []
        return [
            Entry(partition, row[0].decode(), raw[0][1][1] if raw else b"")
            for row, raw in zip(rows, replies, strict=True)
        ]

    async def forget_consumer(self, partition: int, pool: str, consumer: str) -> None:
        await run_scripts(self._client, [("forget", 1, [keys.tasks(partition, pool), consumer])])

    # ---- LogPort ----

    async def read_projection(
        self, positions: Mapping[int, int], progress: Mapping[int, str], count: int, wait_ms: int
    ) -> tuple[dict[int, list[Entry]], dict[int, list[Entry]]]:
        if not positions:
            await asyncio.sleep(wait_ms / 1000)
            return {}, {}
        streams: dict[str, tuple[int, bool]] = {}
        cursors: list[str] = []
        for partition, seq in positions.items():
            streams[keys.events(partition)] = (partition, True)
            cursors.append(f"{seq}-0")
        for partition, cursor in progress.items():
            streams[keys.progress(partition)] = (partition, False)
            cursors.append(cursor)
        reply = await self._xread(list(streams), cursors, count, wait_ms)
        log: dict[int, list[Entry]] = {}
        told: dict[int, list[Entry]] = {}
        for key, raw in streams_of(reply):
            partition, is_log = streams[key]
            (log if is_log else told)[partition] = entries_of(partition, raw)
        if self._assurance and log:
            marks: list[Call] = [("mark", 1, [keys.meta(p), found[-1].entry_id]) for p, found in log.items()]
            if not all(await self._assurance.settle(marks)):
                raise TransientError("Redis: the log ends before what was read of it")
        return log, told

    async def publish(self, partition: int, items: Sequence[FeedItem], settled: Sequence[tuple[str, str]]) -> int:
        arguments: list[Any] = [
            keys.meta(partition),
            keys.feed(partition),
            keys.pending(partition),
            keys.events(partition),
            FEED_ENTRIES_MAX,
            LOG_ENTRIES_KEPT,
            len(items),
        ]
        for item in items:
            arguments += (item.seq, item.body)
        arguments.append(len(settled))
        for pair in settled:
            arguments += pair
        (answer,) = await run_scripts(self._client, [("publish", 4, arguments)])
        return int(answer)

    async def publish_progress(self, items: Mapping[int, Sequence[bytes]]) -> None:
        async with our_errors():
            pipe = self._client.pipeline(transaction=False)
            for partition in items:
                pipe.execute_command("XREVRANGE", keys.feed(partition), "+", "-", "COUNT", 1)
            tails = await pipe.execute()
            pipe = self._client.pipeline(transaction=False)
            for (partition, bodies), raw in zip(items.items(), tails, strict=True):
                seq = raw[0][0].decode().partition("-")[0] if raw else "0"
                for body in bodies:
                    pipe.execute_command(
                        "XADD", keys.feed(partition), "MAXLEN", "~", FEED_ENTRIES_MAX, f"{seq}-*", keys.BODY, body
                    )
            # a commit that was fed meanwhile makes the id too small: this progress is out of date then
            await pipe.execute(raise_on_error=False)

    # ---- HeartbeatPort, CataloguePort ----

    async def beat(self, instance: str, body: bytes) -> None:
        await run_scripts(self._client, [("note", 1, [keys.SERVICES, instance, body])])

    async def beats(self) -> dict[str, bytes]:
        async with our_errors():
            return {key.decode(): body for key, body in (await self._client.hgetall(keys.SERVICES)).items()}

    async def forget_instances(self, instances: Sequence[str]) -> None:
        if instances:
            async with our_errors():
                await self._client.hdel(keys.SERVICES, *instances)

    async def announce(self, operations: Mapping[str, bytes]) -> None:
        fields = [each for pair in operations.items() for each in pair]
        await run_scripts(self._client, [("note", 1, [keys.CATALOGUE, *fields])])

    async def catalogue(self) -> dict[str, bytes]:
        async with our_errors():
            return {key.decode(): body for key, body in (await self._client.hgetall(keys.CATALOGUE)).items()}

    # ---- shared ----

    async def _xread(self, streams: Sequence[str], cursors: Sequence[str], count: int, wait_ms: int) -> Any:
        """XREAD; `wait_ms` 0 does not wait."""
        block = ("BLOCK", wait_ms) if wait_ms else ()
        async with our_errors():
            return await self._client.execute_command("XREAD", "COUNT", count, *block, "STREAMS", *streams, *cursors)

    async def _read_all(
        self, key: Callable[[int], str], cursors: Mapping[int, str], count: int, wait_ms: int
    ) -> list[Entry]:
        partitions = {key(partition): partition for partition in cursors}
        reply = await self._xread(list(partitions), list(cursors.values()), count, wait_ms)
        return [entry for name, raw in streams_of(reply) for entry in entries_of(partitions[name], raw)]


def _head_of(answer: Sequence[Any]) -> Head:
    epoch, commands, results, seq, digest, projected, reissue = answer
    return Head(epoch, commands.decode(), results.decode(), seq, digest.decode(), projected, bool(reissue))


def _commit_call(batch: CommitBatch) -> Call:
    partition, head = batch.partition, batch.head
    pools = list(dict.fromkeys([task.pool for task in batch.tasks] + [pool for pool, _ in batch.drops]))
    index = {pool: 6 + position for position, pool in enumerate(pools)}
    arguments: list[Any] = [
        keys.meta(partition),
        keys.events(partition),
        keys.commands(partition),
        keys.results(partition),
        keys.pending(partition),
        *(keys.tasks(partition, pool) for pool in pools),
        head.epoch,
        head.commands_cursor,
        batch.commands_cursor,
        head.results_cursor,
        batch.results_cursor,
        head.seq,
        head.hash,
        batch.hash or head.hash,
        len(batch.bodies),
        *batch.bodies,
        len(batch.tasks),
    ]
    for task in batch.tasks:
        arguments += (index[task.pool], task.entry_id, task.body)
    arguments.append(len(batch.drops))
    for pool, entry_id in batch.drops:
        arguments += (index[pool], entry_id)
    arguments.append(len(batch.settled))
    for pair in batch.settled:
        arguments += pair
    return "commit", 5 + len(pools), arguments


def _head_after(batch: CommitBatch, projected: int) -> Head:
    head = batch.head
    return Head(
        head.epoch,
        batch.commands_cursor,
        batch.results_cursor,
        head.seq + len(batch.bodies),
        batch.hash or head.hash,
        projected,
    )


def _is_without_group(error: Exception) -> bool:
    return isinstance(error, ResponseError) and ("NOGROUP" in str(error) or "no such key" in str(error))
