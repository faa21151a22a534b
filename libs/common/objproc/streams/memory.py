"""The ports over memory, with the meaning they have over Redis: for tests and for the simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from objproc.streams import keys
from objproc.streams.memory_server import MemoryServer, Row, parse_id
from objproc.streams.ports import (
    START,
    Append,
    Appended,
    AppendMode,
    Claimed,
    CommitBatch,
    Entry,
    FeedItem,
    Finish,
    Head,
    Inputs,
)
from objproc.wire.envelope import GENESIS

FEED_ENTRIES_READ_MAX = 500
CONTROL_ENTRIES_READ_MAX = 100


def entries_of(partition: int, rows: Sequence[Row]) -> list[Entry]:
    """Entries of one stream."""
    return [Entry(partition, entry_id, body) for entry_id, body in rows]


class MemoryStreams:
    """All ports but the worker's, over one server."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    # ---- CommandPort, FeedPort ----

    async def append(self, batches: Mapping[int, Sequence[Append]]) -> dict[int, list[Appended]]:
        return {partition: [self._append(partition, item) for item in items] for partition, items in batches.items()}

    def _append(self, partition: int, item: Append) -> Appended:
        pending = self._server.hash(keys.pending(partition))
        earlier = pending.get(item.object_id) if item.mode is AppendMode.NEW else None
        if earlier is None:
            if item.mode is not AppendMode.PLAIN:
                pending[item.object_id] = item.command_id.encode() + item.body
            self._server.add(keys.commands(partition), item.body)
        return Appended(self._head(partition).seq, earlier)

    async def pending(self, partition: int, object_ids: Sequence[str]) -> list[bytes | None]:
        pending = self._server.hash(keys.pending(partition))
        return [pending.get(object_id) for object_id in object_ids]

    async def tails(self, partitions: Sequence[int]) -> dict[int, str]:
        return {partition: self._server.tail(keys.feed(partition)) for partition in partitions}

    async def read_feed(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        def look() -> list[Entry]:
            return [
                entry
                for partition, cursor in cursors.items()
                for entry in self._read(keys.feed(partition), partition, cursor, FEED_ENTRIES_READ_MAX)
            ]

        return await self._server.wait_for(look, wait_ms)

    # ---- LeasePort ----

    async def hold(self, role: str, partitions: Sequence[int], owner: str, lease_ms: int) -> list[bool]:
        return [self._server.hold(keys.lease(partition, role), owner, lease_ms) for partition in partitions]

    async def release(self, role: str, partitions: Sequence[int], owner: str) -> None:
        for partition in partitions:
            self._server.release(keys.lease(partition, role), owner)

    # ---- SchedulerPort ----

    async def open(self, partition: int) -> Head:
        meta = self._server.hash(keys.meta(partition))
        meta["epoch"] = str(int(meta.get("epoch", b"0")) + 1).encode()
        return self._head(partition)

    async def read(self, heads: Mapping[int, Head], count: int, wait_ms: int) -> dict[int, Inputs]:
        def look() -> dict[int, Inputs]:
            found: dict[int, Inputs] = {}
            for partition, head in heads.items():
                commands = self._read(keys.commands(partition), partition, head.commands_cursor, count)
                results = self._read(keys.results(partition), partition, head.results_cursor, count)
                if commands or results:
                    found[partition] = Inputs(commands, results)
            return found

        return await self._server.wait_for(look, wait_ms)

    async def commit(self, batches: Sequence[CommitBatch]) -> dict[int, Head | None]:
        return {batch.partition: self._commit(batch) for batch in batches}

    def _commit(self, batch: CommitBatch) -> Head | None:
        """As commit.lua: all checks first, then all effects."""
        server, partition, before = self._server, batch.partition, batch.head
        current = self._head(partition, genesis=before.hash)
        if (current.epoch, current.commands_cursor, current.results_cursor, current.seq, current.hash) != (
            before.epoch,
            before.commands_cursor,
            before.results_cursor,
            before.seq,
            before.hash,
        ):
            return None
        for seq, body in enumerate(batch.bodies, before.seq + 1):
            server.add(keys.events(partition), body, f"{seq}-0")
        for task in batch.tasks:
            server.add(keys.tasks(partition, task.pool), task.body, task.entry_id)
        for pool, entry_id in batch.drops:
            server.give_up(keys.tasks(partition, pool), entry_id)
        self._settle(partition, batch.settled)
        after = Head(
            before.epoch,
            batch.commands_cursor,
            batch.results_cursor,
            before.seq + len(batch.bodies),
            batch.hash or before.hash,
            current.projected,
        )
        server.hash(keys.meta(partition)).update(
            commands_cursor=after.commands_cursor.encode(),
            results_cursor=after.results_cursor.encode(),
            seq=str(after.seq).encode(),
            hash=after.hash.encode(),
        )
        server.hash(keys.meta(partition)).pop("reissue", None)
        server.trim_before(keys.commands(partition), after.commands_cursor)
        server.trim_before(keys.results(partition), after.results_cursor)
        return after

    async def withdraw(self, partition: int, tasks: Sequence[tuple[str, str, bytes]]) -> None:
        for pool, entry_id, report in tasks:
            key = keys.tasks(partition, pool)
            if self._server.holder(key, entry_id) is not None:
                self._server.add(keys.control(partition), report, entries_max=self._server.limits.control_entries_max)
            elif self._server.give_up(key, entry_id):
                self._server.add(keys.results(partition), report)

    async def restore(
        self, partition: int, epoch: int, seq: int, digest: str, resubmitted: Sequence[Append]
    ) -> Head | None:
        """As restore.lua."""
        server, head = self._server, self._head(partition)
        if head.epoch != epoch:
            return None
        prefix = keys.tasks(partition, "")
        for key in [key for key in server.state.streams if key == keys.events(partition) or key.startswith(prefix)]:
            del server.state.streams[key]
        is_near = 0 <= seq - head.projected <= server.limits.log_entries_kept
        server.hash(keys.meta(partition)).update(
            seq=str(seq).encode(),
            hash=digest.encode(),
            projected=str(head.projected if is_near else seq).encode(),
            reissue=b"1",
        )
        for append in resubmitted:
            if append.mode is not AppendMode.PLAIN:
                server.hash(keys.pending(partition))[append.object_id] = append.command_id.encode() + append.body
            server.add(keys.commands(partition), append.body)
        return self._head(partition)

    async def read_log(self, partition: int, after: int, count: int) -> list[Entry]:
        return self._read(keys.events(partition), partition, f"{after}-0", count)

    # ---- TaskWatchPort ----

    async def holders(self, partition: int, pools: Sequence[str]) -> dict[str, dict[str, int]]:
        found = {pool: self._server.holders(keys.tasks(partition, pool)) for pool in pools}
        return {pool: consumers for pool, consumers in found.items() if consumers is not None}

    async def held(self, partition: int, pool: str, consumer: str, count: int) -> list[Entry]:
        return entries_of(partition, self._server.held(keys.tasks(partition, pool), consumer)[:count])

    async def forget_consumer(self, partition: int, pool: str, consumer: str) -> None:
        self._server.forget_consumer(keys.tasks(partition, pool), consumer)

    # ---- LogPort ----

    async def read_projection(
        self, positions: Mapping[int, int], progress: Mapping[int, str], count: int, wait_ms: int
    ) -> tuple[dict[int, list[Entry]], dict[int, list[Entry]]]:
        def look() -> tuple[dict[int, list[Entry]], dict[int, list[Entry]]] | None:
            log = {p: self._read(keys.events(p), p, f"{seq}-0", count) for p, seq in positions.items()}
            told = {p: self._read(keys.progress(p), p, cursor, count) for p, cursor in progress.items()}
            log, told = ({p: entries for p, entries in found.items() if entries} for found in (log, told))
            return (log, told) if log or told else None

        return await self._server.wait_for(look, wait_ms) or ({}, {})

    async def publish(self, partition: int, items: Sequence[FeedItem], settled: Sequence[tuple[str, str]]) -> int:
        projected = self._head(partition).projected
        if items and items[0].seq > projected + 1:
            return projected
        limits = self._server.limits
        for item in items:
            if item.seq > projected:
                key = keys.feed(partition)
                self._server.add(key, item.body, f"{item.seq}-0", entries_max=limits.feed_entries_max)
                projected = item.seq
        self._settle(partition, settled)
        self._server.hash(keys.meta(partition))["projected"] = str(projected).encode()
        if projected > limits.log_entries_kept:
            self._server.trim_before(keys.events(partition), f"{projected - limits.log_entries_kept}-0")
        return projected

    async def publish_progress(self, items: Mapping[int, Sequence[bytes]]) -> None:
        for partition, bodies in items.items():
            key = keys.feed(partition)
            seq, _ = parse_id(self._server.tail(key))
            for body in bodies:
                self._server.add(key, body, f"{seq}-*", entries_max=self._server.limits.feed_entries_max)

    # ---- HeartbeatPort, CataloguePort ----

    async def beat(self, instance: str, body: bytes) -> None:
        self._server.hash(keys.SERVICES)[instance] = body

    async def beats(self) -> dict[str, bytes]:
        return dict(self._server.hash(keys.SERVICES))

    async def forget_instances(self, instances: Sequence[str]) -> None:
        for instance in instances:
            self._server.hash(keys.SERVICES).pop(instance, None)

    async def announce(self, operations: Mapping[str, bytes]) -> None:
        self._server.hash(keys.CATALOGUE).update(operations)

    async def catalogue(self) -> dict[str, bytes]:
        return dict(self._server.hash(keys.CATALOGUE))

    # ---- shared ----

    def _read(self, key: str, partition: int, cursor: str, count: int) -> list[Entry]:
        return entries_of(partition, self._server.read(key, cursor, count))

    def _head(self, partition: int, genesis: str = GENESIS) -> Head:
        meta = self._server.hash(keys.meta(partition))
        return Head(
            int(meta.get("epoch", b"0")),
            meta.get("commands_cursor", START.encode()).decode(),
            meta.get("results_cursor", START.encode()).decode(),
            int(meta.get("seq", b"0")),
            meta.get("hash", genesis.encode()).decode(),
            int(meta.get("projected", b"0")),
            "reissue" in meta,
        )

    def _settle(self, partition: int, settled: Sequence[tuple[str, str]]) -> None:
        """Drop what is still the very command from the pending hash."""
        pending = self._server.hash(keys.pending(partition))
        for object_id, command_id in settled:
            if pending.get(object_id, b"").startswith(command_id.encode()):
                pending.pop(object_id, None)


class MemoryTasks:
    """TaskPort and ProgressPort: the worker's side of the task streams of all partitions."""

    def __init__(self, server: MemoryServer, partitions: int) -> None:
        self._server = server
        self._partitions = partitions
        self._turn = 0

    async def claim(self, pool: str, consumer: str, count: int, wait_ms: int) -> list[Claimed]:
        """One task of each partition in turn, beginning with another one each time."""
        streams = [keys.tasks(partition, pool) for partition in range(self._partitions)]
        if sum(self._server.create_group(key) for key in streams):
            return []  # as over Redis, where the refusal for want of a group has used the turn up
        self._turn = (self._turn + 1) % self._partitions

        def look() -> list[Claimed]:
            claimed: list[Claimed] = []
            share = max(1, count // self._partitions)
            for step in range(self._partitions):
                partition = (self._turn + step) % self._partitions
                wanted = min(share, count - len(claimed)) if count >= self._partitions else count - len(claimed)
                if wanted <= 0:
                    break
                rows = self._server.claim(streams[partition], consumer, wanted)
                claimed += [Claimed(partition, pool, entry_id, body) for entry_id, body in rows]
            return claimed

        return await self._server.wait_for(look, wait_ms)

    async def held(self, pool: str, consumer: str) -> list[Claimed]:
        return [
            Claimed(partition, pool, entry_id, body)
            for partition in range(self._partitions)
            for entry_id, body in self._server.held(keys.tasks(partition, pool), consumer)
            if body
        ]

    async def finish(self, batches: Mapping[int, Sequence[Finish]]) -> None:
        for partition, finishes in batches.items():
            for finish in finishes:
                if finish.entry_id:
                    self._server.give_up(keys.tasks(partition, finish.pool), finish.entry_id)
                self._server.add(keys.results(partition), finish.body)

    async def controls(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        def look() -> list[Entry]:
            return [
                entry
                for partition, cursor in cursors.items()
                for entry in entries_of(
                    partition, self._server.read(keys.control(partition), cursor, CONTROL_ENTRIES_READ_MAX)
                )
            ]

        return await self._server.wait_for(look, wait_ms)

    async def progress(self, items: Mapping[int, Sequence[bytes]]) -> None:
        limits = self._server.limits
        for partition, bodies in items.items():
            for body in bodies:
                self._server.add(keys.progress(partition), body, entries_max=limits.progress_entries_max)
