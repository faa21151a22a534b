"""The api service: the one place that names its adapters. `python -m objproc_api`."""

from __future__ import annotations

import asyncio
from functools import partial

from objproc.clock import SystemClock
from objproc.errors import PermanentError
from objproc.heartbeat import Census, Pulse
from objproc.lifecycle import afterwards, instance_id, run, run_every, serve
from objproc.settings import Settings
from objproc.store.migrate import migrate
from objproc.store.pool import connect_pool
from objproc.store.projection import PostgresProjection
from objproc.store.s3 import connect_store
from objproc.streams.connection import connect
from objproc.streams.durability import Assurance
from objproc.streams.inspection import RedisInspection
from objproc.streams.redis import RedisStreams
from objproc_api.app import create_app
from objproc_api.assembly import assemble
from objproc_api.health import Pings
from objproc_api.queries import PostgresQueries
from objproc_api.server import listen, refuse_open_door, serve_http

CONNECTIONS_MAX = 16


async def main(settings: Settings, stopping: asyncio.Event) -> None:
    """Serve until `stopping`."""
    refuse_open_door(settings)
    listener = listen(settings.api_host, settings.api_port)
    clock, client = SystemClock(), connect(settings.redis_url.get_secret_value())
    assurance = Assurance(client, settings.durability, settings.durability_timeout_ms, clock)
    streams, inspection = RedisStreams(client, assurance), RedisInspection(client, assurance)
    pool = await connect_pool(settings.database_url.get_secret_value(), CONNECTIONS_MAX)
    queries, projection = PostgresQueries(pool, settings.partitions), PostgresProjection(pool)
    async with client, pool, connect_store(settings) as store:
        census = Census(streams, clock, settings.heartbeat_ms)
        parts = assemble(settings, clock, census, streams, inspection, queries, projection, store)
        pulse = Pulse(streams, "api", instance_id("api"), clock)
        pulse.facts = lambda: {"watchers": parts.hub.watchers, "port": listener.getsockname()[1]}
        tables = partial(migrate, pool, settings.partitions)
        needs: Pings = {"postgresql": tables, "redis": inspection.standing, "s3": store.create_bucket}
        every_s = settings.heartbeat_ms / 1000
        paced = (("pulse", pulse.step, every_s), ("census", census.step, every_s), ("pressure", parts.pressure.step, 1))
        try:
            async with afterwards(pulse.stop), asyncio.TaskGroup() as loops:
                loops.create_task(serve_http(create_app(parts), listener, parts.hub, stopping))
                loops.create_task(parts.health.set_up(needs, stopping))
                loops.create_task(run("feed", parts.hub.step, stopping))
                for name, step, pause_s in paced:
                    loops.create_task(run_every(name, step, stopping, pause_s))
        except* PermanentError as group:
            raise group.exceptions[0] from None


if __name__ == "__main__":
    serve("api", main)
