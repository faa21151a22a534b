"""The api's SQL over a real PostgreSQL, and the figures of a real Redis."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from uuid import UUID

import pytest

from given import NOON, OBJECT, chain, content, started, submission
from objproc.domain.commands import Input, StoreContent
from objproc.domain.decide import decide
from objproc.domain.ids import content_id, object_id_at, partition_of
from objproc.domain.processing_object import Aggregate, ProcessingObject, Stamp, StoredContent
from objproc.store.pool import Pool
from objproc.store.projection import Checkpoint, PostgresProjection, Projection
from objproc.store.rows import content_row, object_row
from objproc.streams.connection import Client
from objproc.streams.inspection import RedisInspection
from objproc.streams.ports import Append, AppendMode
from objproc.streams.redis import RedisStreams
from objproc.wire.codec import decode_commit, encode_commit
from objproc.wire.envelope import GENESIS, Origin
from objproc_api.ports import Filters
from objproc_api.queries import PostgresQueries, after_prefix

PARTITIONS = 8
TENANT = "default"


@pytest.fixture
def queries(pool: Pool) -> PostgresQueries:
    return PostgresQueries(pool, PARTITIONS)


class Writer:
    """Projects what inputs bring about."""

    def __init__(self, pool: Pool) -> None:
        self._projection = PostgresProjection(pool)
        self._heads = {p: Checkpoint(0, GENESIS) for p in range(PARTITIONS)}
        self._known: dict[str, Aggregate] = {}

    async def write(self, message: Input, minutes: int = 0) -> Aggregate:
        name = message.object_id
        partition = partition_of(name, PARTITIONS)
        before, head = self._known.get(name), self._heads[partition]
        at = NOON + timedelta(minutes=minutes)
        decision = decide(message, before, Stamp(head.seq + 1, at))
        assert decision is not None
        body, digest = encode_commit(
            partition=partition,
            seq=head.seq + 1,
            prev=head.hash,
            object_id=name,
            version_from=(before.version if before else 0) + 1,
            origin=Origin(cause="c", correlation_id="c", actor="a"),
            at=at,
            events=decision.events,
        )
        after = decision.after
        projection = Projection(
            moves={partition: (head, Checkpoint(head.seq + 1, digest))}, commits=[decode_commit(body)]
        )
        if isinstance(after, StoredContent):
            projection.contents.append(content_row(after, partition))
        else:
            (projection.updates if before else projection.inserts).append(object_row(after, partition))
        await self._projection.write(projection)
        self._known[name], self._heads[partition] = after, projection.moves[partition][1]
        return after


@pytest.fixture
def writer(pool: Pool) -> Writer:
    return Writer(pool)


def named(number: int, identifier: str, tenant: str = TENANT) -> Input:
    """A submission with an id and a name of its own."""
    return submission(
        chain("validate"), object_id=object_id_at(number, bytes(10)), identifier=identifier, tenant=tenant
    )


async def test_an_object_is_found_by_id_within_its_tenant(queries: PostgresQueries, writer: Writer) -> None:
    written = await writer.write(submission(chain("validate")))
    found = await queries.by_id(TENANT, OBJECT)
    assert found is not None
    assert found.current == written
    assert await queries.by_id("another", OBJECT) is None
    assert await queries.by_id(TENANT, object_id_at(9, bytes(10))) is None


async def test_running_progress_comes_along_while_something_runs(
    queries: PostgresQueries, writer: Writer, pool: Pool
) -> None:
    await writer.write(submission(chain("validate")))
    await PostgresProjection(pool).write_running({(OBJECT, "validate"): (1, 40.0)})
    queued = await queries.by_id(TENANT, OBJECT)
    assert queued is not None
    assert queued.running == {}
    await writer.write(started("validate"))
    running = await queries.by_id(TENANT, OBJECT)
    assert running is not None
    assert running.running == {"validate": (1, 40.0)}


async def test_the_newest_run_answers_for_an_identifier(queries: PostgresQueries, writer: Writer) -> None:
    await writer.write(named(1, "same"), minutes=2)
    await writer.write(named(2, "same"), minutes=1)
    await writer.write(named(3, "same", "another"), minutes=3)
    found = await queries.newest(TENANT, "same")
    assert found is not None
    assert found.current.object_id == object_id_at(1, bytes(10))
    assert await queries.newest(TENANT, "sam") is None


async def test_pages_filters_and_prefixes(queries: PostgresQueries, writer: Writer) -> None:
    names = ["a", "a/1", "a/2", "a%", "b", "ä", "a\U0010ffff"]
    for number, name in enumerate(names):
        await writer.write(named(number, name), minutes=number // 2)
    await writer.write(named(99, "a/3", "another"))

    async def page(limit: int = 10, **more: object) -> list[ProcessingObject]:
        filters = dataclasses.replace(Filters(tenant=TENANT), **more)  # type: ignore[arg-type]
        return [found.current for found in await queries.page(filters, limit)]

    def identifiers(objects: list[ProcessingObject]) -> list[str]:
        return [one.identifier for one in objects]

    assert identifiers(await page()) == names[::-1]
    assert identifiers(await page(identifier="a/", is_prefix=True)) == ["a/2", "a/1"]
    assert identifiers(await page(identifier="a%", is_prefix=True)) == ["a%"]
    assert identifiers(await page(identifier="", is_prefix=True)) == names[::-1]
    assert identifiers(await page(identifier="a\U0010ffff", is_prefix=True)) == ["a\U0010ffff"]
    assert identifiers(await page(identifier="a")) == ["a"]
    assert identifiers(await page(states=("QUEUED",), identifier="b")) == ["b"]
    assert await page(states=("FAILED", "DELETED")) == []
    seen: list[ProcessingObject] = []
    while more := await page(2, after=(seen[-1].submitted_at, seen[-1].object_id) if seen else None):
        seen += more
    assert identifiers(seen) == names[::-1]


@pytest.mark.parametrize(("prefix", "beyond"), [
    ("a", "b"),
    ("a\U0010ffff", "b"),
    ("\ud7ff", "\ue000"),
    ("\U0010ffff", None),
    ("", None),
])  # fmt: skip
def test_what_lies_just_beyond_a_prefix(prefix: str, beyond: str | None) -> None:
    assert after_prefix(prefix) == beyond


async def test_history_is_read_from_a_version_on(queries: PostgresQueries, writer: Writer) -> None:
    await writer.write(submission(chain("validate")))
    await writer.write(started("validate"))
    versions = [
        [(commit.version_from, commit.version_to) for commit in map(decode_commit, await queries.commits(*asked))]
        for asked in ((OBJECT, 0, 10), (OBJECT, 1, 10), (OBJECT, 2, 10), (OBJECT, 0, 1), (OBJECT, 3, 10))
    ]
    assert versions == [[(1, 2), (3, 3)], [(1, 2), (3, 3)], [(3, 3)], [(1, 2)], []]


async def test_an_upload_is_found_within_its_tenant(queries: PostgresQueries, writer: Writer) -> None:
    name = content_id(TENANT, "file")
    await writer.write(StoreContent(object_id=name, tenant=TENANT, identifier="file", content=content()))
    assert await queries.content(TENANT, name) == content()
    assert await queries.content("another", name) is None
    assert await queries.content(TENANT, str(UUID(int=1))) is None


async def test_a_server_that_is_there_answers(queries: PostgresQueries, redis: Client) -> None:
    await queries.ping()
    await RedisInspection(redis).ping()


async def test_backlogs_count_what_was_not_read_yet(redis: Client) -> None:
    inspection = RedisInspection(redis)
    nothing = {"seq": 0, "fed": 0, "commands": 0, "results": 0, "tasks": 0}
    assert await inspection.backlogs([0, 1], ["default"]) == [{"partition": p} | nothing for p in (0, 1)]
    await RedisStreams(redis).append({1: [Append(AppendMode.NEW, str(n), str(n) * 36, b"{}") for n in range(3)]})
    empty, waiting = await inspection.backlogs([0, 1], ["default", "inline"])
    assert (empty["commands"], waiting["commands"]) == (0, 3)
    newest = (await redis.xinfo_stream("objproc:{1}:commands"))["last-generated-id"]
    await redis.hset("objproc:{1}:meta", mapping={"commands_cursor": newest, "seq": 7, "projected": 6})
    (read,) = await inspection.backlogs([1], [])
    assert read == {"partition": 1, "seq": 7, "fed": 6, "commands": 0, "results": 0, "tasks": 0}
