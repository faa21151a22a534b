"""The scheduler's eye on workers: tasks held by one that gives no sign of life are taken from it."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from objproc.domain.commands import WorkerLost
from objproc.domain.processing_object import ProcessingObject
from objproc.heartbeat import Census
from objproc.streams.ports import TaskWatchPort
from objproc.telemetry import Log
from objproc.wire.codec import decode_task
from objproc.wire.envelope import Origin
from objproc_scheduler.partition import Partition

log = Log("watch")

HELD_COUNT = 200  # tasks of one lost worker, pool and round


@dataclass(slots=True)
class Found:
    """Tasks to take over, and the entries that fall away with their holders."""

    losses: list[tuple[WorkerLost, Origin]] = field(default_factory=list)
    drops: list[tuple[str, str]] = field(default_factory=list)


class Watch:
    """Told by heartbeats that stand still, never by how long a task is pending: a task may take hours."""

    def __init__(self, port: TaskWatchPort, census: Census) -> None:
        self._port = port
        self._census = census

    async def lost_tasks(self, number: int, partition: Partition) -> Found:
        """What lost workers hold of the partition's tasks."""
        found = Found()
        pools = sorted(pools_of(partition) | self._pools_served())
        for pool, consumers in (await self._port.holders(number, pools)).items():
            for consumer, tasks_count in consumers.items():
                if self._census.is_lost(consumer):
                    if tasks_count == 0:
                        await self._port.forget_consumer(number, pool, consumer)
                    else:
                        await self._take_from(found, number, pool, consumer)
        return found

    async def _take_from(self, found: Found, number: int, pool: str, consumer: str) -> None:
        held = await self._port.held(number, pool, consumer, HELD_COUNT)
        log.warning("tasks_taken_over", partition=number, pool=pool, worker=consumer, tasks=len(held))
        for entry in held:
            found.drops.append((pool, entry.entry_id))
            if not entry.body:
                continue
            task, origin = decode_task(entry.body)
            loss = WorkerLost(object_id=task.object_id, operation=task.operation, attempt=task.attempt, worker=consumer)
            own = msgspec.structs.replace(origin, cause=f"lost:{consumer}:{entry.entry_id}", actor="scheduler")
            found.losses.append((loss, own))

    def _pools_served(self) -> set[str]:
        return {pool for beat in self._census.living("worker").values() for pool in beat.facts.get("pools", ())}


def pools_of(partition: Partition) -> set[str]:
    """Pools that live objects of the partition use."""
    return {
        run.planned.pool
        for current in partition.live.values()
        if isinstance(current, ProcessingObject)
        for run in current.runs.values()
    }
