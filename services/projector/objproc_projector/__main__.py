"""Composition root of the projector."""

from __future__ import annotations

import asyncio

from objproc.clock import SystemClock
from objproc.heartbeat import Census, Pulse
from objproc.leases import Leases
from objproc.lifecycle import afterwards, instance_id, run, run_every, serve, until_ready
from objproc.settings import Settings
from objproc.store.garbage import PostgresGarbage
from objproc.store.migrate import migrate
from objproc.store.pool import connect_pool
from objproc.store.projection import PostgresProjection
from objproc.store.s3 import connect_store
from objproc.streams.connection import connect
from objproc.streams.durability import Assurance
from objproc.streams.redis import RedisStreams
from objproc_projector.projector import Projector
from objproc_projector.sweeper import Sweeper


async def main(settings: Settings, stopping: asyncio.Event) -> None:
    """Wire the projector up and run it."""
    clock, instance = SystemClock(), instance_id("projector")
    pool = await connect_pool(settings.database_url.get_secret_value(), 4)
    await until_ready("postgresql", lambda: migrate(pool, settings.partitions), stopping)
    client = connect(settings.redis_url.get_secret_value())
    assurance = Assurance(client, settings.durability, settings.durability_timeout_ms, clock)
    streams = RedisStreams(client, assurance)
    census = Census(streams, clock, settings.heartbeat_ms)
    pulse = Pulse(streams, "projector", instance, clock)
    leases = Leases(
        streams,
        census,
        role="projector",
        instance=instance,
        partitions=settings.partitions,
        lease_ms=settings.lease_ms,
    )
    store_of_rows = PostgresProjection(pool)
    projector = Projector(streams, store_of_rows, store_of_rows, store_of_rows, leases, clock, settings.heartbeat_ms)
    pulse.facts = projector.facts
    await until_ready("redis", pulse.step, stopping)
    await until_ready("redis", census.step, stopping)
    last = afterwards(projector.release, pulse.stop, client.aclose, pool.close)
    async with last, connect_store(settings) as store, asyncio.TaskGroup() as group:
        sweeper = Sweeper(PostgresGarbage(pool), store, settings.artifact_grace_s)
        group.create_task(run_every("pulse", pulse.step, stopping, settings.heartbeat_ms / 1000))
        group.create_task(run_every("census", census.step, stopping, settings.heartbeat_ms / 1000))
        group.create_task(run_every("sweeper", sweeper.step, stopping, settings.sweep_every_s))
        group.create_task(run("projector", projector.step, stopping))


if __name__ == "__main__":
    serve("projector", main)
