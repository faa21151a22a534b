"""Progress of running operations; the newest only, as often as its loop comes round."""

from __future__ import annotations

import asyncio

from objproc.domain.ids import partition_of
from objproc.domain.tasks import Task
from objproc.feed import RunningProgress, encode_feed
from objproc.streams.ports import ProgressPort

PASS_S = 5.0  # a pass without anything to tell; so that the loop is seen to go round


class ProgressTeller:
    """Collects progress and tells it in one round trip for all running operations."""

    def __init__(self, port: ProgressPort, partitions: int) -> None:
        self._port = port
        self._partitions = partitions
        self._newest: dict[tuple[str, str, int], RunningProgress] = {}
        self._arrived = asyncio.Event()

    def tell(self, task: Task, fraction: float) -> None:
        """The operation is that far, 0.0 to 1.0."""
        self._newest[task.object_id, task.operation, task.attempt] = RunningProgress(
            tenant=task.tenant,
            object_id=task.object_id,
            identifier=task.identifier,
            operation=task.operation,
            attempt=task.attempt,
            percent=round(100 * fraction, 1),
        )
        self._arrived.set()

    def forget(self, key: tuple[str, str, int]) -> None:
        """The operation has ended."""
        self._newest.pop(key, None)

    async def step(self) -> None:
        """Wait for progress, then tell the newest of each operation."""
        try:
            async with asyncio.timeout(PASS_S):
                await self._arrived.wait()
        except TimeoutError:
            return
        self._arrived.clear()
        newest, self._newest = self._newest, {}
        bodies: dict[int, list[bytes]] = {}
        for progress in newest.values():
            partition = partition_of(progress.object_id, self._partitions)
            bodies.setdefault(partition, []).append(encode_feed(progress))
        if bodies:
            await self._port.progress(bodies)
