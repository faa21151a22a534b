"""Writing and reading the projection: rows and checkpoint in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple, Protocol
from uuid import UUID

from objproc.domain.processing_object import Aggregate
from objproc.errors import ConflictError
from objproc.store.pool import Connection, Pool, our_errors
from objproc.store.rows import ContentRow, ObjectRow
from objproc.wire.codec import decode_commit, decode_content, decode_object, decode_record
from objproc.wire.envelope import Commit

DECODERS: dict[str, Callable[[bytes], Aggregate]] = {"o": decode_object, "c": decode_content, "r": decode_record}


def statement(name: str) -> str:
    """The text of an SQL file of this package."""
    return files("objproc.store").joinpath("sql", f"{name}.sql").read_text()


MOVE_CHECKPOINTS = statement("move_checkpoints")
UPDATE_OBJECTS = statement("update_objects")
UPSERT_CONTENTS = statement("upsert_contents")
UPSERT_RECORDS = statement("upsert_records")
DROP_REFERENCES = statement("drop_references")
UPSERT_RUNNING = statement("upsert_running")


class Checkpoint(NamedTuple):
    """The last projected commit of a partition."""

    seq: int
    hash: str


@dataclass(slots=True)
class Projection:
    """What one pass of the projector writes, all or nothing."""

    moves: dict[int, tuple[Checkpoint, Checkpoint]] = field(default_factory=dict)
    """By partition: the checkpoint it was folded from, and the one it leads to."""
    commits: list[Commit] = field(default_factory=list)
    inserts: list[ObjectRow] = field(default_factory=list)
    updates: list[ObjectRow] = field(default_factory=list)
    contents: list[ContentRow] = field(default_factory=list)
    records: list[ContentRow] = field(default_factory=list)
    references: list[tuple[str, str, UUID]] = field(default_factory=list)
    """(tenant, sha256, object_id) to add."""
    finished: list[UUID] = field(default_factory=list)
    """Objects of which nothing runs any more."""
    dropped: list[tuple[str, str, UUID]] = field(default_factory=list)
    """(tenant, sha256, object_id) to remove; what nobody needs then becomes garbage."""


class ProjectionPort(Protocol):
    """Where the projector writes and the scheduler recovers from."""

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        """Where the projection of each partition stands."""
        ...

    async def write(self, projection: Projection) -> None:
        """Write it in one transaction. ConflictError if a checkpoint is not where it was folded from."""
        ...

    async def load(self, object_ids: Sequence[str]) -> dict[str, Aggregate]:
        """The aggregates that exist among `object_ids`."""
        ...

    async def load_live(self, partition: int) -> tuple[Checkpoint, dict[str, Aggregate]]:
        """One consistent view: the checkpoint, and every object that is not finished at it."""
        ...


class ArchivePort(Protocol):
    """The log for good."""

    async def archived(self, partition: int, after: int, count: int) -> list[bytes]:
        """Bodies of archived commits with a seq greater than `after`, in order."""
        ...

    async def histories(self, object_ids: Iterable[str]) -> dict[str, list[Commit]]:
        """All archived commits of each object, in order."""
        ...


class RunningPort(Protocol):
    """How far running operations are."""

    async def write_running(self, rows: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """Put the progress of running operations: (object id, operation) to (attempt, percent)."""
        ...


class PostgresProjection:
    """ProjectionPort, ArchivePort and RunningPort over PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        async with our_errors():
            rows = await self._pool.fetch(
                "SELECT partition, seq, hash FROM checkpoints WHERE partition = ANY($1)", list(partitions)
            )
        return {row["partition"]: Checkpoint(row["seq"], row["hash"]) for row in rows}

    async def write(self, projection: Projection) -> None:
        async with our_errors(), self._pool.acquire() as connection, connection.transaction():
            await _move_checkpoints(connection, projection.moves)
            await _archive(connection, projection.commits)
            if projection.inserts:
                await connection.copy_records_to_table("objects", records=projection.inserts)
            if projection.updates:
                await connection.execute(UPDATE_OBJECTS, *_columns(projection.updates, OBJECT_UPDATE))
            if projection.contents:
                await connection.execute(UPSERT_CONTENTS, *_columns(projection.contents, ContentRow._fields))
            if projection.records:
                await connection.execute(UPSERT_RECORDS, *_columns(projection.records, ContentRow._fields))
            if projection.references:
                await connection.execute(
                    "INSERT INTO artifact_references SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[])"
                    " ON CONFLICT DO NOTHING",
                    *zip(*projection.references, strict=True),
                )
            if projection.finished:
                await connection.execute("DELETE FROM running WHERE object_id = ANY($1)", projection.finished)
            if projection.dropped:
                await connection.execute(DROP_REFERENCES, *zip(*projection.dropped, strict=True))

    async def load(self, object_ids: Sequence[str]) -> dict[str, Aggregate]:
        wanted = [UUID(object_id) for object_id in object_ids]
        async with our_errors():
            rows = await self._pool.fetch(
                "SELECT 'o' AS kind, object_id, aggregate FROM objects WHERE object_id = ANY($1) UNION ALL "
                "SELECT 'c', object_id, aggregate FROM contents WHERE object_id = ANY($1) UNION ALL "
                "SELECT 'r', object_id, aggregate FROM records WHERE object_id = ANY($1)",
                wanted,
            )
        return {str(row["object_id"]): DECODERS[row["kind"]](row["aggregate"]) for row in rows}

    async def load_live(self, partition: int) -> tuple[Checkpoint, dict[str, Aggregate]]:
        async with (
            our_errors(),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            checkpoint = await connection.fetchrow("SELECT seq, hash FROM checkpoints WHERE partition = $1", partition)
            rows = await connection.fetch(
                "SELECT object_id, aggregate FROM objects WHERE partition = $1"
                " AND state IN ('PENDING', 'QUEUED', 'PROCESSING')",
                partition,
            )
        live: dict[str, Aggregate] = {str(row["object_id"]): decode_object(row["aggregate"]) for row in rows}
        return Checkpoint(checkpoint["seq"], checkpoint["hash"]), live

    async def archived(self, partition: int, after: int, count: int) -> list[bytes]:
        """Bodies of archived commits with a seq greater than `after`, in order."""
        async with our_errors():
            rows = await self._pool.fetch(
                "SELECT body FROM events WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                partition,
                after,
                count,
            )
        return [row["body"] for row in rows]

    async def histories(self, object_ids: Iterable[str]) -> dict[str, list[Commit]]:
        """All archived commits of each object, in order."""
        async with our_errors():
            rows = await self._pool.fetch(
                "SELECT object_id, body FROM events WHERE object_id = ANY($1) ORDER BY object_id, version_from",
                [UUID(object_id) for object_id in object_ids],
            )
        found: dict[str, list[Commit]] = {}
        for row in rows:
            found.setdefault(str(row["object_id"]), []).append(decode_commit(row["body"]))
        return found

    async def write_running(self, rows: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """Put the progress of running operations: (object id, operation) to (attempt, percent)."""
        columns = [(UUID(o), op, attempt, percent) for (o, op), (attempt, percent) in rows.items()]
        async with our_errors():
            await self._pool.execute(UPSERT_RUNNING, *zip(*columns, strict=True))


OBJECT_UPDATE = ("object_id", "state", "version", "error_code", "updated_at", "finished_at", "aggregate")


def _columns(rows: Sequence[ObjectRow] | Sequence[ContentRow], names: Sequence[str]) -> list[list[object]]:
    return [[getattr(row, name) for row in rows] for name in names]


async def _move_checkpoints(connection: Connection, moves: Mapping[int, tuple[Checkpoint, Checkpoint]]) -> None:
    rows = [(p, before.seq, before.hash, after.seq, after.hash) for p, (before, after) in sorted(moves.items())]
    moved = await connection.fetch(MOVE_CHECKPOINTS, *zip(*rows, strict=True))
    if len(moved) != len(rows):
        raise ConflictError("another projector was here first")


async def _archive(connection: Connection, commits: Sequence[Commit]) -> None:
    await connection.copy_records_to_table(
        "events",
        records=[(c.partition, c.seq, UUID(c.object_id), c.version_from, c.version_to, c.at, c.body) for c in commits],
    )
