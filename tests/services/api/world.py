"""A world in memory behind the api: its ports, and a scheduler and projector that move when they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from objproc.domain.commands import Input
from objproc.domain.content import Content
from objproc.domain.decide import decide
from objproc.domain.ids import partition_of
from objproc.domain.processing_object import Aggregate, ProcessingObject, Stamp, StoredContent
from objproc.errors import TransientError
from objproc.feed import FeedCommit, RunningProgress, encode_feed, fold_for_feed
from objproc.operations.catalogue import CatalogueEntry, encode_entry
from objproc.store.s3 import NotInStoreError
from objproc.streams.ports import Append, Appended, AppendMode, Entry, Load, Standing
from objproc.wire.codec import decode_command, decode_commit, encode_commit
from objproc.wire.envelope import Commit, Origin
from objproc_api.ports import Filters
from objproc_api.views import Found, Running

PARTITIONS = 2
GENESIS = "0" * 64


def entry(name: str, *requires: str, **schema: object) -> CatalogueEntry:
    """An operation on offer; `schema` are properties of its parameters."""
    return CatalogueEntry(
        type=name,
        description=f"Does {name}.",
        version="1",
        requires=requires,
        accepts=("tabular",),
        pool="default",
        attempts_max=3,
        deadline_s=60.0,
        params_schema={"type": "object", "properties": schema, "additionalProperties": False},
    )


CATALOGUE = (
    entry("validate", rows_max={"type": "integer"}),
    entry("transform", "validate"),
    entry("analyze", "transform"),
)


@dataclass
class World:
    """Fulfils every port of the api. `decide_all` does what scheduler and projector do."""

    pending_hash: dict[str, bytes] = field(default_factory=dict)
    commands: list[bytes] = field(default_factory=list)
    appends: list[list[Append]] = field(default_factory=list)
    feed: dict[int, list[bytes]] = field(default_factory=lambda: {p: [] for p in range(PARTITIONS)})
    announced: dict[str, bytes] = field(default_factory=lambda: {e.type: encode_entry(e) for e in CATALOGUE})
    signs: dict[str, bytes] = field(default_factory=dict)
    state: dict[str, Aggregate] = field(default_factory=dict)
    log: dict[str, list[Commit]] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: list[FakeUpload] = field(default_factory=list)
    worth: Standing = field(default_factory=lambda: Standing("durable", True, ""))
    fullness: Load = field(default_factory=lambda: Load(0, 0, 0))
    is_away: bool = False
    is_deciding: bool = True
    """Whether what is appended is decided and projected at once."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    reads: int = 0
    """How often the history was read."""
    lists: int = 0
    """How often objects were listed."""

    # ---- CommandPort, FeedPort, CataloguePort, HeartbeatPort ----

    async def append(self, batches: Mapping[int, Sequence[Append]]) -> dict[int, list[Appended]]:
        self._check()
        await asyncio.sleep(0)
        self.appends.append([append for appends in batches.values() for append in appends])
        answers = {p: [self._append(p, append) for append in appends] for p, appends in batches.items()}
        if self.is_deciding:
            self.decide_all()
        return answers

    def _append(self, partition: int, append: Append) -> Appended:
        earlier = self.pending_hash.get(append.object_id) if append.mode is AppendMode.NEW else None
        if earlier is None:
            self.commands.append(append.body)
            if append.mode is not AppendMode.PLAIN:
                self.pending_hash[append.object_id] = append.command_id.encode() + append.body
        return Appended(self.seqs.get(partition, 0), earlier)

    async def pending(self, partition: int, object_ids: Sequence[str]) -> list[bytes | None]:
        self._check()
        return [self.pending_hash.get(object_id) for object_id in object_ids]

    async def tails(self, partitions: Sequence[int]) -> dict[int, str]:
        self._check()
        return {partition: f"{len(self.feed[partition])}-0" for partition in partitions}

    async def read_feed(self, cursors: Mapping[int, str], wait_ms: int) -> list[Entry]:
        self._check()
        while True:
            self.news.clear()
            entries = [
                Entry(partition, f"{place}-0", body)
                for partition, cursor in cursors.items()
                for place, body in enumerate(self.feed[partition], 1)
                if place > int(cursor.partition("-")[0]) and body
            ]
            if entries or self.is_away:
                self._check()
                return entries
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await self.news.wait()
            except TimeoutError:
                return []

    async def catalogue(self) -> dict[str, bytes]:
        self._check()
        return dict(self.announced)

    async def announce(self, operations: Mapping[str, bytes]) -> None:
        self.announced |= operations

    async def beat(self, instance: str, body: bytes) -> None:
        self.signs[instance] = body

    async def beats(self) -> dict[str, bytes]:
        return dict(self.signs)

    async def forget_instances(self, instances: Sequence[str]) -> None:
        for instance in instances:
            del self.signs[instance]

    # ---- ObjectsPort, HistoryPort, ContentsPort, ReadinessPort, InspectionPort ----

    async def by_id(self, tenant: str, object_id: str) -> Found | None:
        self._check()
        current = self.state.get(object_id)
        is_theirs = isinstance(current, ProcessingObject) and current.tenant == tenant
        return Found(current, self.running.get(object_id, {})) if is_theirs else None  # type: ignore[arg-type]

    async def newest(self, tenant: str, identifier: str) -> Found | None:
        page = await self.page(Filters(tenant=tenant, identifier=identifier), 1)
        return page[0] if page else None

    async def page(self, filters: Filters, limit: int) -> list[Found]:
        self.lists += 1

        def fits(one: ProcessingObject) -> bool:
            name = filters.identifier
            is_named = one.identifier.startswith(name or "") if filters.is_prefix else name in {None, one.identifier}
            is_in_state = not filters.states or one.state in filters.states
            is_after = filters.after is None or (one.submitted_at, one.object_id) < filters.after
            return one.tenant == filters.tenant and is_named and is_in_state and is_after

        objects = [one for one in self.state.values() if isinstance(one, ProcessingObject) and fits(one)]
        objects.sort(key=lambda one: (one.submitted_at, one.object_id), reverse=True)
        return [Found(one, self.running.get(one.object_id, {})) for one in objects[:limit]]

    async def commits(self, object_id: str, after: int, count: int) -> list[bytes]:
        self._check()
        self.reads += 1
        return [commit.body for commit in self.log.get(object_id, []) if commit.version_to > after][:count]

    async def content(self, tenant: str, content_id: str) -> Content | None:
        current = self.state.get(content_id)
        return current.content if isinstance(current, StoredContent) and current.tenant == tenant else None

    async def ping(self) -> None:
        self._check()

    async def backlogs(self, partitions: Sequence[int], pools: Sequence[str]) -> list[dict[str, int]]:
        names = ("seq", "fed", "commands", "results", "tasks")
        return [{"partition": partition} | dict.fromkeys(names, 1) for partition in partitions]

    async def standing(self) -> Standing:
        self._check()
        return self.worth

    async def load(self, partitions: Sequence[int]) -> Load:
        self._check()
        return self.fullness

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, Stamp]:
        return {}

    # ---- BytesPort, StagingPort ----

    async def put(self, key: str, body: bytes, media_type: str) -> None:
        self._check()
        self.files[key] = body

    async def is_kept(self, tenant: str, sha256: str) -> bool:
        self._check()
        return f"{tenant}/{sha256}" in self.files

    async def size_of(self, key: str) -> int | None:
        self._check()
        return len(self.files[key]) if key in self.files else None

    async def get(self, key: str, byte_range: str | None = None) -> tuple[AsyncIterator[bytes], int]:
        if key not in self.files:
            raise NotInStoreError(key)
        body = self.files[key]
        if byte_range:
            first, _, last = byte_range.removeprefix("bytes=").partition("-")
            body = body[int(first) : int(last) + 1]
        return chunks_of(body, 7), len(body)

    async def start_upload(self, key: str, media_type: str) -> FakeUpload:
        self._check()
        self.uploads.append(FakeUpload(self, key))
        return self.uploads[-1]

    async def copy(self, source: str, target: str, size: int) -> None:
        self._check()
        self.files[target] = self.files[source]

    async def delete(self, key: str) -> None:
        self._check()
        self.files.pop(key, None)

    # ---- what scheduler and projector do ----

    def decide_all(self) -> None:
        """Decide every command that waits, and project what it brings about."""
        bodies, self.commands = self.commands, []
        for body in bodies:
            command, origin = decode_command(body)
            self.give(command, origin)

    def give(self, message: Input, origin: Origin | None = None) -> Commit | None:
        """Decide one input and project it."""
        origin = origin or Origin(cause="result", correlation_id="c", actor="worker")
        object_id = message.object_id
        partition = partition_of(object_id, PARTITIONS)
        seq = self.seqs.get(partition, 0) + 1
        at = NOON + timedelta(seconds=sum(self.seqs.values()))
        current = self.state.get(object_id)
        decision = decide(message, current, Stamp(seq, at))
        held = self.pending_hash.get(object_id, b"")
        if held.startswith(origin.cause.encode()):
            del self.pending_hash[object_id]
        if decision is None:
            return None
        self.seqs[partition] = seq
        body, _ = encode_commit(
            partition=partition,
            seq=seq,
            prev=GENESIS,
            object_id=object_id,
            version_from=(current.version if current else 0) + 1,
            origin=origin,
            at=at,
            events=decision.events,
        )
        commit = decode_commit(body)
        self.log.setdefault(object_id, []).append(commit)
        self.state[object_id], told = fold_for_feed(current, commit)
        self.tell(told)
        return commit

    def tell(self, item: FeedCommit | RunningProgress) -> None:
        """Feed something."""
        self.feed[partition_of(item.object_id, PARTITIONS)].append(encode_feed(item))
        self.news.set()

    def go_away(self) -> None:
        """Every server is away until further notice."""
        self.is_away = True
        self.news.set()

    def _check(self) -> None:
        if self.is_away:
            raise TransientError("Redis: away")


NOON = datetime.fromisoformat("2026-01-02T12:00:00+00:00")


@dataclass
class FakeUpload:
    """A multipart upload to the world's files."""

    world: World
    key: str
    parts: list[bytes] = field(default_factory=list)
    is_aborted: bool = False

    async def add(self, part: bytes) -> None:
        self.world._check()
        self.parts.append(part)

    async def complete(self) -> None:
        self.world.files[self.key] = b"".join(self.parts)

    async def abort(self) -> None:
        self.is_aborted = True


async def chunks_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    """`body` in pieces."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


class TestClock:
    """A clock that moves only when it is told to; monotonic time is real where waiting needs it."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return self.ahead_s
