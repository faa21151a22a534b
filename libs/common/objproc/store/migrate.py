"""Tables made and migrated at start; replicas that start at once take turns behind an advisory lock."""

from __future__ import annotations

from importlib.resources import files

from objproc.errors import SetupError
from objproc.store.pool import Connection, Pool, our_errors
from objproc.wire.envelope import GENESIS

LOCK = 0x0B1EC7


async def migrate(pool: Pool, partitions: int) -> None:
    """Bring the schema up to date. SetupError where the database was made for another number of partitions."""
    async with our_errors(), pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        try:
            await _apply_missing(connection)
            await _fix_partitions(connection, partitions)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


async def _apply_missing(connection: Connection) -> None:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
    )
    applied = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
    folder = files("objproc.store").joinpath("migrations")
    known = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    if unknown := applied - set(known):
        raise SetupError(f"the database has migrations this version does not know: {', '.join(sorted(unknown))}")
    for name in known:
        if name not in applied:
            async with connection.transaction():
                await connection.execute(folder.joinpath(name).read_text())
                await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)


async def _fix_partitions(connection: Connection, partitions: int) -> None:
    fixed = await connection.fetchval("SELECT partitions FROM installation")
    if fixed is None:
        async with connection.transaction():
            await connection.execute("INSERT INTO installation (partitions) VALUES ($1)", partitions)
            for partition in range(partitions):
                await connection.execute(
                    f"CREATE TABLE events_{partition:04d} PARTITION OF events FOR VALUES IN ({partition})"
                )
                await connection.execute(
                    "INSERT INTO checkpoints (partition, hash) VALUES ($1, $2)", partition, GENESIS
                )
    elif fixed != partitions:
        raise SetupError(
            f"PARTITIONS={partitions}, but this installation was made with {fixed}, which cannot change: "
            f"set PARTITIONS={fixed}, or start with an empty database and an empty Redis"
        )
