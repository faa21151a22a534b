"""ProjectionPort: rows and checkpoint in one transaction."""

from __future__ import annotations

import asyncio
import dataclasses
from uuid import UUID

import pytest

from contracts.stored import START, checkpoint_of, commits_of, projection_of, row_of, stored, stored_row
from given import OBJECT, chain, delete, failed, story_of, succeeded
from objproc.errors import ConflictError
from objproc.store.pool import Pool
from objproc.store.projection import Checkpoint, PostgresProjection, Projection


@pytest.fixture
def projection(pool: Pool) -> PostgresProjection:
    """The adapter under test."""
    return PostgresProjection(pool)


async def count(pool: Pool, table: str) -> int:
    return int(await pool.fetchval(f"SELECT count(*) FROM {table}"))


async def test_checkpoints_begin_at_the_beginning(projection: PostgresProjection) -> None:
    assert await projection.checkpoints([0, 3, 99]) == {0: START, 3: START}


async def test_a_projection_writes_rows_archive_and_checkpoint_together(projection: PostgresProjection) -> None:
    story = story_of(chain("a", "b"), succeeded("a", 1, "x"))
    written = projection_of(story)
    await projection.write(written)
    assert await projection.checkpoints([0]) == {0: checkpoint_of(written.commits[-1])}
    assert await projection.load([OBJECT]) == {OBJECT: story.object}
    assert await projection.archived(0, 0, 10) == [commit.body for commit in written.commits]


async def test_the_archive_is_read_after_a_number_in_order_and_in_bounds(projection: PostgresProjection) -> None:
    written = projection_of(story_of(chain("a", "b"), succeeded("a"), succeeded("b")))
    await projection.write(written)
    bodies = [commit.body for commit in written.commits]
    assert await projection.archived(0, 1, 10) == bodies[1:]
    assert await projection.archived(0, 0, 2) == bodies[:2]
    assert await projection.archived(1, 0, 2) == []


async def test_the_history_of_an_object_is_all_its_commits_in_order(projection: PostgresProjection) -> None:
    written = projection_of(story_of(chain("a"), succeeded("a")))
    await projection.write(written)
    assert await projection.histories([OBJECT]) == {OBJECT: written.commits}


@pytest.mark.parametrize("before", [Checkpoint(1, START.hash), Checkpoint(0, "another hash")])
async def test_a_checkpoint_that_is_elsewhere_writes_nothing(
    projection: PostgresProjection, pool: Pool, before: Checkpoint
) -> None:
    story = story_of(chain("a"))
    written = projection_of(story)
    written.moves = {0: (before, written.moves[0][1])}
    with pytest.raises(ConflictError):
        await projection.write(written)
    assert await projection.checkpoints([0]) == {0: START}
    assert (await count(pool, "events"), await count(pool, "objects")) == (0, 0)


async def test_one_conflict_among_several_partitions_writes_nothing_of_any(
    projection: PostgresProjection, pool: Pool
) -> None:
    written = projection_of(story_of(chain("a")))
    written.moves |= {1: (Checkpoint(7, "x"), Checkpoint(8, "y"))}
    with pytest.raises(ConflictError):
        await projection.write(written)
    assert await projection.checkpoints([0, 1]) == {0: START, 1: START}
    assert await count(pool, "events") == 0


async def test_of_two_projectors_exactly_one_writes(projection: PostgresProjection, pool: Pool) -> None:
    written = projection_of(story_of(chain("a")))
    answers = await asyncio.gather(*(projection.write(written) for _ in range(4)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["ConflictError"] * 3 + ["NoneType"]
    assert (await count(pool, "events"), await count(pool, "objects")) == (1, 1)


async def test_an_update_replaces_the_row(projection: PostgresProjection, pool: Pool) -> None:
    story = story_of(chain("a"), tags=("t",))
    first = projection_of(story)
    await projection.write(first)
    story.when(failed("a", is_retryable=False))
    commits = commits_of(story)
    moves = {0: (checkpoint_of(first.commits[-1]), checkpoint_of(commits[-1]))}
    await projection.write(Projection(moves=moves, commits=commits[1:], updates=[row_of(story.object)]))
    row = await pool.fetchrow("SELECT * FROM objects")
    assert (row["state"], row["version"], row["error_code"], row["tags"]) == (
        "FAILED",
        story.object.version,
        "broken",
        ["t"],
    )
    assert row["finished_at"] == story.object.finished_at
    assert await projection.load([OBJECT]) == {OBJECT: story.object}


async def test_the_row_of_a_deleted_object_keeps_no_tags(projection: PostgresProjection, pool: Pool) -> None:
    story = story_of(chain("a"), succeeded("a"), tags=("t",))
    first = projection_of(story)
    await projection.write(first)
    story.when(delete())
    commits = commits_of(story)
    moves = {0: (checkpoint_of(first.commits[-1]), checkpoint_of(commits[-1]))}
    await projection.write(Projection(moves=moves, commits=commits[2:], updates=[row_of(story.object)]))
    assert await pool.fetchval("SELECT tags FROM objects") == []


async def test_contents_are_inserted_and_replaced(projection: PostgresProjection) -> None:
    current = stored()
    move = {0: (START, Checkpoint(1, "h1"))}
    await projection.write(Projection(moves=move, contents=[stored_row(current)]))
    newer = dataclasses.replace(current, version=2, seq=9)
    move = {0: (Checkpoint(1, "h1"), Checkpoint(2, "h2"))}
    await projection.write(Projection(moves=move, contents=[stored_row(newer)]))
    assert await projection.load([current.object_id, OBJECT]) == {current.object_id: newer}


async def test_the_live_view_is_the_checkpoint_and_what_is_not_finished_at_it(
    projection: PostgresProjection,
) -> None:
    story = story_of(chain("a"))
    written = projection_of(story)
    await projection.write(written)
    assert await projection.load_live(0) == (checkpoint_of(written.commits[-1]), {OBJECT: story.object})
    assert await projection.load_live(1) == (START, {})


@pytest.mark.parametrize("last", [succeeded("a"), failed("a", is_retryable=False)])
async def test_the_live_view_is_without_finished_objects(projection: PostgresProjection, last: object) -> None:
    story = story_of(chain("a"), last)  # type: ignore[arg-type]
    await projection.write(projection_of(story))
    _, live = await projection.load_live(0)
    assert live == {}


# ---- references and running progress ----


async def garbage(pool: Pool) -> list[str]:
    return [row["sha256"] for row in await pool.fetch("SELECT sha256 FROM garbage ORDER BY sha256")]


async def test_references_are_kept_once(projection: PostgresProjection, pool: Pool) -> None:
    reference = ("default", "d1", UUID(OBJECT))
    move = {0: (START, Checkpoint(1, "h1"))}
    await projection.write(Projection(moves=move, references=[reference, ("default", "d2", UUID(OBJECT))]))
    move = {0: (Checkpoint(1, "h1"), Checkpoint(2, "h2"))}
    await projection.write(Projection(moves=move, references=[reference]))
    assert await count(pool, "artifact_references") == 2
    assert await garbage(pool) == []


async def test_a_dropped_reference_becomes_garbage(projection: PostgresProjection, pool: Pool) -> None:
    mine, theirs = UUID(OBJECT), UUID(OBJECT.replace("1", "2"))
    references = [("default", "d1", mine), ("default", "d2", mine), ("default", "d2", theirs)]
    move = {0: (START, Checkpoint(1, "h1"))}
    await projection.write(Projection(moves=move, references=references))
    move = {0: (Checkpoint(1, "h1"), Checkpoint(2, "h2"))}
    await projection.write(Projection(moves=move, dropped=[("default", "d1", mine), ("default", "never", mine)]))
    assert await garbage(pool) == ["d1"]
    assert await count(pool, "artifact_references") == 2


async def test_progress_of_an_older_attempt_does_not_overwrite(projection: PostgresProjection, pool: Pool) -> None:
    await projection.write_running({(OBJECT, "a"): (2, 50.0), (OBJECT, "b"): (1, 10.0)})
    await projection.write_running({(OBJECT, "a"): (1, 99.0), (OBJECT, "b"): (1, 20.0)})
    rows = await pool.fetch("SELECT operation, attempt, percent FROM running ORDER BY operation")
    assert [tuple(row) for row in rows] == [("a", 2, 50.0), ("b", 1, 20.0)]


async def test_the_progress_of_a_finished_object_goes_with_its_end(projection: PostgresProjection, pool: Pool) -> None:
    await projection.write_running({(OBJECT, "a"): (1, 50.0)})
    await projection.write(projection_of(story_of(chain("a"), succeeded("a")), finished=[UUID(OBJECT)]))
    assert await count(pool, "running") == 0
