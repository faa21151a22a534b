"""Real servers for tests: the environment's if given, else containers, else the embedded ones. Nothing is skipped.

Every test that asks for `redis_url` finds it empty, and every test that asks for `database_url` gets a database of
its own, so tests may run in any order.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from objproc.errors import TransientError
from objproc.settings import Settings
from objproc.store.migrate import migrate
from objproc.store.pool import Pool, connect_pool
from objproc.store.s3 import Store, connect_store
from objproc.streams.connection import Client, connect
from objproc_embedded.servers import Servers

PARTITIONS = 8
KEYS_OF_OURS = b"objproc:"
READY_WITHIN_S = 60.0

hypothesis_settings.register_profile(
    "ci",
    max_examples=50,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.register_profile("explore", deadline=None, database=None, max_examples=1_000)
hypothesis_settings.load_profile(os.environ.get("OBJPROC_TEST_PROFILE", "ci"))

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """The environment of a service: REDIS_URL, DATABASE_URL, S3_… of servers that answer."""
    if os.environ.get("DOCKER_HOST") and "OBJPROC_TEST_REDIS_IMAGE" in os.environ:
        from containers import containers  # an engine's client is slow to import, and seldom used

        with containers() as env, asyncio.Runner() as runner:
            runner.run(_until_ready(env))
            yield {**os.environ, **env}
        return
    with asyncio.Runner() as runner:
        embedded = Servers()
        runner.run(embedded.__aenter__())
        try:
            runner.run(_until_ready(embedded.env))
            yield embedded.env
        finally:
            runner.run(embedded.__aexit__(None, None, None))


async def _until_ready(env: dict[str, str]) -> None:
    """Wait until each server does what tests need; the Redis must be empty, because tests empty it."""
    client = connect(env["REDIS_URL"])
    await eventually(client.ping)
    if keys := await client.dbsize():
        pytest.exit(f"REDIS_URL names a Redis with {keys} keys; the tests need one they may empty")
    await client.aclose()
    pool = await connect_pool(env["DATABASE_URL"], 1)
    await eventually(lambda: pool.fetchval("SELECT 1"))
    await pool.close()
    async with connect_store(settings_of(env)) as store:
        await eventually(store.create_bucket)


async def eventually(look: Callable[[], Awaitable[Any]], within_s: float = READY_WITHIN_S) -> Any:
    """What `look` answers once it answers something true, or None without an error; waits for that, not for a time."""
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            found = await look()
            if found or found is None:
                return found
            reason: object = found
        except (TransientError, OSError, asyncpg.PostgresError) as error:
            reason = error
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {reason!r}"
        await asyncio.sleep(0.01)


# ---- Redis ----


@pytest.fixture
async def redis(servers: dict[str, str]) -> AsyncIterator[Client]:
    """A client of an empty Redis. A test that leaves keys of nobody's fails."""
    client = connect(servers["REDIS_URL"])
    await client.flushdb()
    yield client
    strangers = [key for key in await client.keys("*") if not key.startswith(KEYS_OF_OURS)]
    await client.flushdb()
    await client.aclose()
    assert not strangers, f"keys outside objproc:* were left: {strangers}"


@pytest.fixture
def redis_url(servers: dict[str, str], redis: Client) -> str:
    """Where an empty Redis is."""
    return servers["REDIS_URL"]


# ---- PostgreSQL ----


async def _create_database(admin_url: str, name: str, template: str) -> str:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return f"{admin_url.rpartition('/')[0]}/{name}"


async def _drop_database(admin_url: str, name: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(servers: dict[str, str]) -> Iterator[str]:
    """Name of a database with the schema and PARTITIONS partitions, from which the others are copied."""
    name = f"objproc_test_{os.getpid()}_template"

    async def make() -> None:
        url = await _create_database(servers["DATABASE_URL"], name, "template1")
        pool = await connect_pool(url, 1)
        await migrate(pool, PARTITIONS)
        await pool.close()

    with asyncio.Runner() as runner:
        runner.run(make())
        yield name
        runner.run(_drop_database(servers["DATABASE_URL"], name))


@pytest.fixture
async def database_url(servers: dict[str, str], template: str) -> AsyncIterator[str]:
    """A migrated, empty database."""
    name = f"objproc_test_{os.getpid()}_{next(_numbers)}"
    yield await _create_database(servers["DATABASE_URL"], name, template)
    await _drop_database(servers["DATABASE_URL"], name)


@pytest.fixture
async def bare_database_url(servers: dict[str, str]) -> AsyncIterator[str]:
    """A database without tables."""
    name = f"objproc_test_{os.getpid()}_{next(_numbers)}"
    yield await _create_database(servers["DATABASE_URL"], name, "template1")
    await _drop_database(servers["DATABASE_URL"], name)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on the migrated, empty database."""
    pool = await connect_pool(database_url, 4)
    yield pool
    await pool.close()


# ---- S3 and all together ----


def settings_of(env: dict[str, str], **more: Any) -> Settings:
    """The settings of a service in that environment."""
    known = {name: env[name.upper()] for name in Settings.model_fields if name.upper() in env}
    return Settings(_env_file=None, **known | more)  # type: ignore[call-arg]


@pytest.fixture
async def store(servers: dict[str, str]) -> AsyncIterator[Store]:
    """The bucket. It is not emptied: names are digests, or the test's own."""
    async with connect_store(settings_of(servers)) as store:
        yield store


@pytest.fixture
def settings(servers: dict[str, str], redis_url: str, database_url: str) -> Settings:
    """Settings of a service, on an empty Redis and an empty database."""
    return settings_of(servers, redis_url=redis_url, database_url=database_url, partitions=PARTITIONS)
