"""The archive, partition by partition: its chain, its histories, its fold against the tables and against Redis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from chaos.findings import Findings
from chaos.ledger import Ledger
from objproc.domain.events import LogRepaired, ObjectSubmitted, TaskTakenOver
from objproc.domain.processing_object import ProcessingObject, StoredContent
from objproc.errors import LogBrokenError
from objproc.store.projection import Checkpoint
from objproc.store.rows import ContentRow, ObjectRow
from objproc.streams import keys
from objproc.streams.connection import Client
from objproc.streams.ports import Entry
from objproc.wire.envelope import GENESIS, Commit
from objproc_projector.folding import Fold, read_chain

PAGE = 2_000
LIVE = ("PENDING", "QUEUED", "PROCESSING")


@dataclass(kw_only=True)
class Known:
    """What all of the archive says, as far as the other checks need it."""

    states: dict[str, str] = field(default_factory=dict)
    types: dict[str, frozenset[str]] = field(default_factory=dict)
    """By object: the types of its events."""
    causes: set[str] = field(default_factory=set)
    names: dict[str, list[str]] = field(default_factory=dict)
    """By watched object: its event types by version."""
    completions: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By object: partition and seq of its ObjectCompleted."""
    takeovers: list[tuple[str, float]] = field(default_factory=list)
    """Lost worker, and when (Unix seconds) its task was taken over."""
    bytes_needed: dict[tuple[str, str], int] = field(default_factory=dict)
    """(tenant, sha256) to size, of everything that state names."""
    references: set[tuple[str, str, UUID]] = field(default_factory=set)
    tenants: set[str] = field(default_factory=set)
    commits: int = 0
    is_whole: bool = True
    """False where a partition could not be folded to its end."""


async def check_archive(
    connection: asyncpg.Connection, redis: Client, watched: Collection[str], findings: Findings
) -> Known:
    """I2, I3, I4, I5, I7 and I11 of every partition."""
    known = Known()
    checkpoints = await connection.fetch("SELECT partition, seq, hash FROM checkpoints ORDER BY partition")
    for row in checkpoints:
        commits = await _chain(connection, row["partition"], findings)
        if commits is None:
            known.is_whole = False
            continue
        known.commits += len(commits)
        end = Checkpoint(commits[-1].seq, commits[-1].hash) if commits else Checkpoint(0, GENESIS)
        found = Checkpoint(row["seq"], row["hash"])
        findings.expect("I5", end == found, f"partition {row['partition']}: checkpoint {found}, archive {end}")
        _ledgers(commits, watched, known, findings)
        fold = _fold(commits, findings)
        if fold is None:
            known.is_whole = False
            continue
        await _compare_tables(connection, row["partition"], fold, known, findings)
        await _compare_redis(redis, row["partition"], commits, findings)
    if known.is_whole:
        await _compare_references(connection, known, findings)
    return known


async def _chain(connection: asyncpg.Connection, partition: int, findings: Findings) -> list[Commit] | None:
    commits: list[Commit] = []
    at = Checkpoint(0, GENESIS)
    while True:
        rows = await connection.fetch(
            "SELECT * FROM events WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3", partition, at.seq, PAGE
        )
        entries = [Entry(partition, f"{row['seq']}-0", row["body"]) for row in rows]
        try:
            page = read_chain(partition, at, entries)
        except LogBrokenError as error:
            findings.blame("I4", str(error))
            return None
        findings.look("I4", len(page))
        for row, commit in zip(rows, page, strict=True):
            columns = (row["seq"], str(row["object_id"]), row["version_from"], row["version_to"], row["at"])
            body = (commit.seq, commit.object_id, commit.version_from, commit.version_to, commit.at)
            findings.expect("I5", columns == body, f"partition {partition} seq {row['seq']}: columns {columns}")
        commits += page
        if len(rows) < PAGE:
            return commits
        at = Checkpoint(page[-1].seq, page[-1].hash)


def _ledgers(commits: list[Commit], watched: Collection[str], known: Known, findings: Findings) -> None:
    ledgers: dict[str, Ledger] = {}
    for commit in commits:
        ledger = ledgers.setdefault(commit.object_id, Ledger(commit.object_id))
        ledger.add(commit, findings)
        known.causes.add(commit.origin.cause)
        for event in commit.events:
            if type(event).__name__ == "ObjectCompleted":
                known.completions[commit.object_id] = (commit.partition, commit.seq)
            elif isinstance(event, TaskTakenOver):
                known.takeovers.append((event.worker, commit.at.timestamp()))
            elif isinstance(event, ObjectSubmitted):
                known.tenants.add(event.tenant)
            elif isinstance(event, LogRepaired):
                findings.notes.append(f"partition {commit.partition} seq {commit.seq}: {event}")
    for object_id, ledger in ledgers.items():
        known.types[object_id] = frozenset(ledger.names)
        if object_id in watched:
            known.names[object_id] = ledger.names


def _fold(commits: list[Commit], findings: Findings) -> Fold | None:
    fold = Fold({})
    for commit in commits:
        try:
            fold.add(commit)
        except LogBrokenError as error:
            findings.blame("I4", str(error))
            return None
    return fold


async def _compare_tables(
    connection: asyncpg.Connection, partition: int, fold: Fold, known: Known, findings: Findings
) -> None:
    projection = fold.projection()
    objects, contents = ", ".join(ObjectRow._fields), ", ".join(ContentRow._fields)
    rows = await connection.fetch(f"SELECT {objects} FROM objects WHERE partition = $1", partition)
    _compare("objects", {row.object_id: tuple(row) for row in projection.inserts}, rows, findings)
    rows = await connection.fetch(f"SELECT {contents} FROM contents WHERE partition = $1", partition)
    _compare("contents", {row.object_id: tuple(row) for row in projection.contents}, rows, findings)
    rows = await connection.fetch(f"SELECT {contents} FROM records WHERE partition = $1", partition)
    _compare("records", {row.object_id: tuple(row) for row in projection.records}, rows, findings)
    known.references |= set(projection.references)
    for object_id, current in fold.after().items():
        known.tenants.add(current.tenant)
        if isinstance(current, StoredContent) and current.content.inline is None:
            known.bytes_needed[current.tenant, current.content.sha256] = current.content.size
        if not isinstance(current, ProcessingObject):
            continue
        known.states[object_id] = current.state.value
        if current.state != "DELETED":
            known.bytes_needed |= _bytes_of(current)
        if current.state in LIVE:
            findings.blame("I2", f"{object_id} has no outcome: it is {current.state}")


def _bytes_of(current: ProcessingObject) -> dict[tuple[str, str], int]:
    found = {} if current.content.inline is not None else {current.content.sha256: current.content.size}
    found |= {artifact.sha256: artifact.size for run in current.runs.values() for artifact in run.artifacts}
    return {(current.tenant, digest): size for digest, size in found.items()}


def _compare(table: str, expected: Mapping[UUID, tuple[Any, ...]], rows: list[Any], findings: Findings) -> None:
    stored = {row["object_id"]: tuple(row) for row in rows}
    findings.look("I5", len(expected.keys() | stored.keys()))
    for object_id in expected.keys() - stored.keys():
        findings.blame("I5", f"{table}: the row of {object_id} is missing")
    for object_id in stored.keys() - expected.keys():
        findings.blame("I5", f"{table}: nothing in the archive tells of {object_id}")
    for object_id in expected.keys() & stored.keys():
        if expected[object_id] != stored[object_id]:
            pairs = zip(rows[0].keys(), expected[object_id], stored[object_id], strict=True)
            differing = [name for name, folded, found in pairs if folded != found]
            findings.blame("I5", f"{table}: {object_id} differs from its fold in {', '.join(differing)}")


async def _compare_references(connection: asyncpg.Connection, known: Known, findings: Findings) -> None:
    rows = await connection.fetch("SELECT tenant, sha256, object_id FROM artifact_references")
    stored = {tuple(row) for row in rows}
    findings.look("I5", len(stored | known.references))
    for tenant, digest, object_id in known.references - stored:
        findings.blame("I5", f"artifact_references: {object_id} needs {tenant}/{digest}, which no row says")
    for tenant, digest, object_id in stored - known.references:
        findings.blame("I5", f"artifact_references: {object_id} does not need {tenant}/{digest}")


async def _compare_redis(redis: Client, partition: int, commits: list[Commit], findings: Findings) -> None:
    head = await redis.hmget(keys.meta(partition), "seq", "hash")
    end = (commits[-1].seq, commits[-1].hash) if commits else (0, GENESIS)
    found = (int(head[0] or 0), (head[1] or GENESIS.encode()).decode())
    findings.expect("I5", found == end, f"partition {partition}: Redis's head is {found}, the archive's end {end}")
    after = "-"
    while True:
        page = await redis.execute_command("XRANGE", keys.events(partition), after, "+", "COUNT", PAGE)
        for entry_id, fields in page:
            seq = int(entry_id.decode().partition("-")[0])
            is_same = seq <= len(commits) and commits[seq - 1].body == fields[1]
            findings.expect("I5", is_same, f"partition {partition} seq {seq}: Redis and the archive differ")
        if len(page) < PAGE:
            return
        after = f"({page[-1][0].decode()}"
