"""Composition root of the worker."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial

from objproc.clock import SystemClock
from objproc.heartbeat import Pulse
from objproc.lifecycle import at_leisure, instance_id, run, run_every, serve, until_ready
from objproc.operations import OperationFactory
from objproc.operations.catalogue import encode_entry, entry_of
from objproc.settings import Settings
from objproc.store.s3 import connect_store
from objproc.streams.connection import connect
from objproc.streams.redis import RedisStreams
from objproc.streams.task_streams import RedisTasks
from objproc_worker.cache import Cache, own_folder
from objproc_worker.claims import Claims
from objproc_worker.inline import POOL, InlineWorker
from objproc_worker.progress import ProgressTeller
from objproc_worker.reports import Reports
from objproc_worker.runs import OperationRunner
from objproc_worker.sandbox import Sandbox
from objproc_worker.worker import Worker

ANNOUNCE_EVERY_S = 5.0


async def main(settings: Settings, stopping: asyncio.Event) -> None:
    """Wire the worker up and run it."""
    clock, name = SystemClock(), instance_id("worker")
    OperationFactory.load(settings.operation_modules)
    folder = own_folder(settings.cache_dir)
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    for part in ("cache", "scratch"):
        (folder / part).mkdir(exist_ok=True)
    client = connect(settings.redis_url.get_secret_value())
    streams, tasks = RedisStreams(client), RedisTasks(client, settings.partitions)
    sandbox = Sandbox(settings.operation_modules)
    claims = Claims(tasks, name)
    reports = Reports(tasks, claims, name, clock)
    progress = ProgressTeller(tasks, settings.partitions)
    inline = InlineWorker(claims, reports, name, clock)
    pulse = Pulse(streams, "worker", name, clock)
    catalogue = {key: encode_entry(entry_of(operation)) for key, operation in OperationFactory.all().items()}
    await sandbox.start()
    try:
        async with connect_store(settings) as store:
            await until_ready("s3", store.create_bucket, stopping)
            runner = OperationRunner(
                sandbox, Cache(folder / "cache", store, settings.cache_bytes_max), store, folder / "scratch"
            )
            worker = Worker(
                tasks,
                claims,
                runner,
                reports,
                progress,
                clock,
                name=name,
                slots=settings.max_parallel_workers,
                partitions=settings.partitions,
            )
            pulse.facts = lambda: {"pools": list(settings.worker_pools), "running": worker.running}
            await until_ready("redis", pulse.step, stopping)
            async with asyncio.TaskGroup() as group:
                alive = asyncio.Event()
                helpers = [
                    group.create_task(run_every("pulse", pulse.step, alive, settings.heartbeat_ms / 1000)),
                    group.create_task(run("reports", reports.step, alive)),
                    group.create_task(run("progress", progress.step, alive)),
                    group.create_task(run("controls", worker.watch_controls, alive)),
                ]
                announce = partial(streams.announce, catalogue)
                group.create_task(run_every("catalogue", announce, stopping, ANNOUNCE_EVERY_S))
                loops = [inline.step if pool == POOL else partial(worker.step, pool) for pool in settings.worker_pools]
                async with asyncio.TaskGroup() as claiming:
                    for pool, step in zip(settings.worker_pools, loops, strict=True):
                        claiming.create_task(run(f"pool {pool}", step, stopping))
                # only now, with nothing claimed any more, may what runs come to its end
                await worker.finish(settings.grace_s)
                for helper in helpers:
                    helper.cancel()
    finally:
        await sandbox.stop()
        async with at_leisure():
            await client.aclose()


if __name__ == "__main__":
    serve("worker", main)
