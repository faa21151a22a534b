"""Composition root of the scheduler."""

from __future__ import annotations

import asyncio

from objproc.clock import SystemClock
from objproc.heartbeat import Census, Pulse
from objproc.leases import Leases
from objproc.lifecycle import afterwards, instance_id, run, run_every, serve, until_ready
from objproc.settings import Settings
from objproc.store.migrate import migrate
from objproc.store.pool import connect_pool
from objproc.store.projection import PostgresProjection
from objproc.streams.connection import connect
from objproc.streams.redis import RedisStreams
from objproc_scheduler.loading import Loader
from objproc_scheduler.scheduler import Scheduler
from objproc_scheduler.watch import Watch


async def main(settings: Settings, stopping: asyncio.Event) -> None:
    """Wire the scheduler up and run it."""
    clock, instance = SystemClock(), instance_id("scheduler")
    pool = await connect_pool(settings.database_url.get_secret_value(), 4)
    await until_ready("postgresql", lambda: migrate(pool, settings.partitions), stopping)
    client = connect(settings.redis_url.get_secret_value())
    streams = RedisStreams(client)
    census = Census(streams, clock, settings.heartbeat_ms)
    pulse = Pulse(streams, "scheduler", instance, clock)
    leases = Leases(
        streams,
        census,
        role="scheduler",
        instance=instance,
        partitions=settings.partitions,
        lease_ms=settings.lease_ms,
    )
    watch = Watch(streams, census)
    projection = PostgresProjection(pool)
    loader = Loader(streams, streams, streams, projection, projection, clock)
    scheduler = Scheduler(streams, loader, projection, leases, watch, clock, settings.heartbeat_ms)
    pulse.facts = scheduler.facts
    await until_ready("redis", pulse.step, stopping)
    await until_ready("redis", census.step, stopping)
    async with afterwards(scheduler.release, pulse.stop, client.aclose, pool.close), asyncio.TaskGroup() as group:
        group.create_task(run_every("pulse", pulse.step, stopping, settings.heartbeat_ms / 1000))
        group.create_task(run_every("census", census.step, stopping, settings.heartbeat_ms / 1000))
        group.create_task(run("scheduler", scheduler.step, stopping))


if __name__ == "__main__":
    serve("scheduler", main)
