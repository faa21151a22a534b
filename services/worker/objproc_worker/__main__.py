"""Composition root of the worker."""

from __future__ import annotations

import asyncio

from objproc.clock import SystemClock
from objproc.heartbeat import Pulse
from objproc.lifecycle import afterwards, instance_id, serve, until_ready
from objproc.operations import OperationFactory
from objproc.operations.catalogue import announcements
from objproc.settings import Settings
from objproc.store.s3 import connect_store
from objproc.streams.connection import connect
from objproc.streams.redis import RedisStreams
from objproc.streams.task_streams import RedisTasks
from objproc_worker.cache import Cache, own_folder
from objproc_worker.claims import Claims
from objproc_worker.inline import InlineWorker
from objproc_worker.loops import run_loops
from objproc_worker.progress import ProgressTeller
from objproc_worker.reports import Reports
from objproc_worker.runs import OperationRunner
from objproc_worker.sandbox import Sandbox
from objproc_worker.worker import Worker


async def main(settings: Settings, stopping: asyncio.Event) -> None:
    """Wire the worker up and run it."""
    clock, name, folder = SystemClock(), instance_id("worker"), own_folder(settings.cache_dir)
    OperationFactory.load(settings.operation_modules)
    client = connect(settings.redis_url.get_secret_value())
    streams, tasks = RedisStreams(client), RedisTasks(client, settings.partitions)
    claims = Claims(tasks, name)
    reports, progress = Reports(tasks, claims, name, clock), ProgressTeller(tasks, settings.partitions)
    sandbox, pulse = Sandbox(settings.operation_modules), Pulse(streams, "worker", name, clock)
    await sandbox.start()
    async with afterwards(sandbox.stop, pulse.stop, client.aclose), connect_store(settings) as store:
        await until_ready("s3", store.create_bucket, stopping)
        runner = OperationRunner(sandbox, Cache(folder, store, settings.cache_bytes_max), store, folder)
        worker = Worker(tasks, claims, runner, reports, progress, clock, name, settings)
        pulse.facts = worker.facts
        await until_ready("redis", pulse.step, stopping)
        helpers = (
            ("pulse", pulse.step, settings.heartbeat_ms / 1000),
            ("catalogue", lambda: streams.announce(announcements()), 5.0),
            ("reports", reports.step, 0.0),
            ("progress", progress.step, 0.5),
        )
        inline = InlineWorker(claims, reports, name, clock)
        await run_loops(worker, inline, settings, helpers, stopping)


if __name__ == "__main__":
    serve("worker", main)
