"""Redis and PostgreSQL of the simulation: the in-memory streams, watched; and the projection's tables as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from objproc.clock import Clock
from objproc.domain.processing_object import Aggregate
from objproc.errors import ConflictError
from objproc.store.projection import OBJECT_UPDATE, Checkpoint, Projection
from objproc.store.rows import ContentRow, ObjectRow
from objproc.streams.memory_server import MemoryServer
from objproc.wire.codec import decode_commit, decode_content, decode_object, decode_record
from objproc.wire.envelope import GENESIS, Commit

LIVE = {"PENDING", "QUEUED", "PROCESSING"}
UPSERTED = ("version", "updated_at", "aggregate")


class DuplicateKeyError(AssertionError):
    """PostgreSQL would refuse this row, and the process would die: a bug."""


class WatchedServer(MemoryServer):
    """Says which kind of stream was written."""

    def __init__(self, clock: Clock, on_write: Callable[[str], None]) -> None:
        super().__init__(clock, is_simulated=True)
        self._on_write = on_write

    def add(self, key: str, body: bytes, entry_id: str = "*", *, entries_max: int | None = None) -> str:
        """Append an entry, and tell its kind."""
        name = super().add(key, body, entry_id, entries_max=entries_max)
        self._on_write(key.split(":", 3)[2])
        return name


class MemoryProjection:
    """ProjectionPort, ArchivePort, RunningPort and the api's HistoryPort; a write is one transaction."""

    def __init__(self, partitions: int) -> None:
        self.points = dict.fromkeys(range(partitions), Checkpoint(0, GENESIS))
        self.events: dict[int, dict[int, Commit]] = {partition: {} for partition in range(partitions)}
        self.objects: dict[str, ObjectRow] = {}
        self.contents: dict[str, ContentRow] = {}
        self.records: dict[str, ContentRow] = {}
        self.references: set[tuple[str, str, UUID]] = set()
        self.running: dict[tuple[str, str], tuple[int, float]] = {}
        self._histories: dict[str, list[Commit]] = {}

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        return {partition: self.points[partition] for partition in partitions}

    async def write(self, projection: Projection) -> None:
        """All checks first, then all rows."""
        for partition, (before, _) in projection.moves.items():
            if not self.is_at(partition, before):
                raise ConflictError("another projector was here first")
        for commit in projection.commits:
            if commit.seq in self.events[commit.partition]:
                raise DuplicateKeyError(f"events ({commit.partition}, {commit.seq})")
        for row in projection.inserts:
            if str(row.object_id) in self.objects:
                raise DuplicateKeyError(f"objects ({row.object_id})")
        for partition, (_, after) in projection.moves.items():
            self.points[partition] = after
        for commit in projection.commits:
            self.events[commit.partition][commit.seq] = commit
            self._histories.setdefault(commit.object_id, []).append(commit)
        self._write_rows(projection)
        for object_id in projection.finished:
            self.running = {key: row for key, row in self.running.items() if key[0] != str(object_id)}

    def is_at(self, partition: int, before: Checkpoint) -> bool:
        """The condition of the checkpoint's update."""
        return self.points[partition] == before

    def _write_rows(self, projection: Projection) -> None:
        """As the statements do: an update leaves the columns alone that it does not name."""
        for row in projection.inserts:
            self.objects[str(row.object_id)] = row
        for row in projection.updates:
            if (old := self.objects.get(str(row.object_id))) is not None:
                changed = {name: getattr(row, name) for name in OBJECT_UPDATE}
                tags = [] if row.state == "DELETED" else old.tags
                self.objects[str(row.object_id)] = old._replace(**changed, tags=tags)
        for table, rows in ((self.contents, projection.contents), (self.records, projection.records)):
            for new in rows:
                name = str(new.object_id)
                kept = table.get(name)
                table[name] = kept._replace(**{c: getattr(new, c) for c in UPSERTED}) if kept else new
        self.references |= set(projection.references)
        self.references -= set(projection.dropped)

    async def load(self, object_ids: Sequence[str]) -> dict[str, Aggregate]:
        return {name: found for name in object_ids if (found := self.aggregate(name)) is not None}

    def aggregate(self, object_id: str) -> Aggregate | None:
        """What the row of the object says."""
        if (row := self.objects.get(object_id)) is not None:
            return decode_object(row.aggregate)
        if (content := self.contents.get(object_id)) is not None:
            return decode_content(content.aggregate)
        if (record := self.records.get(object_id)) is not None:
            return decode_record(record.aggregate)
        return None

    async def load_live(self, partition: int) -> tuple[Checkpoint, dict[str, Aggregate]]:
        live: dict[str, Aggregate] = {
            name: decode_object(row.aggregate)
            for name, row in self.objects.items()
            if row.partition == partition and row.state in LIVE
        }
        return self.points[partition], live

    async def archived(self, partition: int, after: int, count: int) -> list[bytes]:
        events = self.events[partition]
        return [events[seq].body for seq in sorted(events) if seq > after][:count]

    async def histories(self, object_ids: Iterable[str]) -> dict[str, list[Commit]]:
        return {
            name: [decode_commit(commit.body) for commit in self._histories[name]]
            for name in object_ids
            if name in self._histories
        }

    async def commits(self, object_id: str, after: int, count: int) -> list[bytes]:
        found = [commit.body for commit in self._histories.get(object_id, ()) if commit.version_to > after]
        return found[:count]

    async def write_running(self, rows: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        self.running.update(rows)
