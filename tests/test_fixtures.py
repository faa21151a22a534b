"""The fixtures keep what they promise."""

from __future__ import annotations

import asyncpg

from objproc.settings import Settings
from objproc.streams.connection import Client


async def test_the_settings_name_an_empty_redis_and_a_migrated_database(settings: Settings, redis: Client) -> None:
    assert await redis.dbsize() == 0
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    assert await connection.fetchval("SELECT partitions FROM installation") == settings.partitions
    await connection.close()
