"""GarbagePort: bytes that nothing refers to any more."""

from __future__ import annotations

from uuid import UUID

import pytest

from contracts.stored import START
from given import NOON, OBJECT
from objproc.store.garbage import PostgresGarbage
from objproc.store.pool import Pool
from objproc.store.projection import Checkpoint, PostgresProjection, Projection

MINE = UUID(OBJECT)


@pytest.fixture
async def dropped(pool: Pool) -> PostgresProjection:
    """Two digests that an object gave up, and one that somebody else still needs."""
    projection = PostgresProjection(pool)
    theirs = UUID(OBJECT.replace("1", "2"))
    references = [("default", name, MINE) for name in ("d1", "d2", "shared")]
    move = {0: (START, Checkpoint(1, "h1"))}
    await projection.write(Projection(moves=move, references=[*references, ("default", "shared", theirs)]))
    move = {0: (Checkpoint(1, "h1"), Checkpoint(2, "h2"))}
    await projection.write(Projection(moves=move, dropped=references))
    return projection


@pytest.mark.usefixtures("dropped")
async def test_only_what_nobody_needs_may_be_swept(pool: Pool) -> None:
    assert sorted(await PostgresGarbage(pool).unneeded(0, 10)) == [("default", "d1"), ("default", "d2")]


@pytest.mark.usefixtures("dropped")
async def test_fresh_garbage_is_left_for_a_while(pool: Pool) -> None:
    garbage = PostgresGarbage(pool)
    assert await garbage.unneeded(3600, 10) == []
    await pool.execute("UPDATE garbage SET since = $1 WHERE sha256 = 'd1'", NOON.replace(year=2020))
    assert await garbage.unneeded(3600, 10) == [("default", "d1")]


async def test_garbage_that_is_needed_again_is_none(pool: Pool, dropped: PostgresProjection) -> None:
    move = {0: (Checkpoint(2, "h2"), Checkpoint(3, "h3"))}
    await dropped.write(Projection(moves=move, references=[("default", "d1", MINE)]))
    assert await PostgresGarbage(pool).unneeded(0, 10) == [("default", "d2")]


@pytest.mark.usefixtures("dropped")
async def test_swept_bytes_are_forgotten(pool: Pool) -> None:
    garbage = PostgresGarbage(pool)
    await garbage.forget([("default", "d1")])
    assert await garbage.unneeded(0, 10) == [("default", "d2")]
    assert len(await garbage.unneeded(0, 0)) == 0
