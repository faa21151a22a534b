"""The worker's loops, and the order in which they end: first claiming, then running, then reporting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from objproc.lifecycle import run, run_every
from objproc.settings import Settings
from objproc_worker.inline import POOL, InlineWorker
from objproc_worker.worker import Worker

Step = Callable[[], Awaitable[object]]


async def run_loops(
    worker: Worker,
    inline: InlineWorker,
    settings: Settings,
    helpers: Sequence[tuple[str, Step, float]],
    stopping: asyncio.Event,
) -> None:
    """Until `stopping`; then what runs may end within the grace period, and what does not is handed back.

    `helpers` (name, step, seconds between) go on until the last report is sent: without heartbeats the others would
    take over what is about to be finished.
    """
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        helping = [group.create_task(run_every(name, step, ended, every_s)) for name, step, every_s in helpers]
        helping.append(group.create_task(run("controls", worker.watch_controls, ended)))
        async with asyncio.TaskGroup() as claiming:
            for pool in settings.worker_pools:
                step = inline.step if pool == POOL else partial(worker.step, pool)
                claiming.create_task(run(f"pool {pool}", step, stopping))
        await worker.finish(settings.grace_s)
        ended.set()
        for helper in helping:
            helper.cancel()
