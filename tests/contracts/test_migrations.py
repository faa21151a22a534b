"""Tables are made at the first start, once, whoever starts at the same time."""

from __future__ import annotations

import asyncio

import pytest

from objproc.errors import SetupError, TransientError
from objproc.store.migrate import migrate
from objproc.store.pool import connect_pool
from objproc.store.projection import Checkpoint, PostgresProjection
from objproc.wire.envelope import GENESIS


async def test_two_replicas_that_start_at_once_make_the_tables_once(bare_database_url: str) -> None:
    pools = [await connect_pool(bare_database_url, 1) for _ in range(4)]
    await asyncio.gather(*(migrate(pool, 3) for pool in pools))
    assert await pools[0].fetchval("SELECT partitions FROM installation") == 3
    assert await pools[0].fetchval("SELECT count(*) FROM schema_migrations") >= 1
    assert await PostgresProjection(pools[1]).checkpoints(range(5)) == {p: Checkpoint(0, GENESIS) for p in range(3)}
    for pool in pools:
        await pool.close()


async def test_migrating_again_changes_nothing(bare_database_url: str) -> None:
    pool = await connect_pool(bare_database_url, 1)
    await migrate(pool, 2)
    before = await pool.fetch("SELECT * FROM schema_migrations")
    await migrate(pool, 2)
    assert await pool.fetch("SELECT * FROM schema_migrations") == before
    await pool.close()


async def test_another_number_of_partitions_is_refused_with_the_way_out(bare_database_url: str) -> None:
    pool = await connect_pool(bare_database_url, 1)
    await migrate(pool, 2)
    with pytest.raises(SetupError, match=r"PARTITIONS=4, but this installation was made with 2.*set PARTITIONS=2"):
        await migrate(pool, 4)
    await migrate(pool, 2)
    await pool.close()


async def test_of_two_replicas_that_disagree_on_partitions_one_is_refused(bare_database_url: str) -> None:
    pools = [await connect_pool(bare_database_url, 1) for _ in range(2)]
    answers = await asyncio.gather(migrate(pools[0], 2), migrate(pools[1], 3), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "SetupError"]
    for pool in pools:
        await pool.close()


async def test_a_database_of_a_newer_version_is_refused(bare_database_url: str) -> None:
    pool = await connect_pool(bare_database_url, 1)
    await migrate(pool, 2)
    await pool.execute("INSERT INTO schema_migrations (name) VALUES ('9999_future.sql')")
    with pytest.raises(SetupError, match=r"9999_future\.sql"):
        await migrate(pool, 2)
    await pool.close()


async def test_a_server_that_is_away_is_transient() -> None:
    pool = await connect_pool("postgresql://nobody@127.0.0.1:1/none", 1)
    with pytest.raises(TransientError):
        await migrate(pool, 2)
    await pool.close()
