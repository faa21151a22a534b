"""The state of the system as operators see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from objproc.heartbeat import Census
from objproc_api.planning import Catalogue
from objproc_api.ports import InspectionPort


class Checkpoint(Protocol):
    """The last projected commit of a partition."""

    @property
    def seq(self) -> int:
        """Its number."""
        ...


class CheckpointsPort(Protocol):
    """Where the projection stands."""

    async def checkpoints(self, partitions: Sequence[int]) -> Mapping[int, Checkpoint]:
        """By partition."""
        ...


class Status:
    """Gathers figures from heartbeats, streams and checkpoints."""

    def __init__(
        self,
        *,
        census: Census,
        catalogue: Catalogue,
        inspection: InspectionPort,
        checkpoints: CheckpointsPort,
        partitions: int,
    ) -> None:
        self._census = census
        self._catalogue = catalogue
        self._inspection = inspection
        self._checkpoints = checkpoints
        self._partitions = range(partitions)

    async def view(self) -> dict[str, Any]:
        """Services, partitions, backlog, workers, operations."""
        services = self._services()
        partitions, operations = await self._figures()
        waiting = ("commands", "results", "tasks", "lag")
        return {
            "services": services,
            "workers": [service for service in services if service["role"] == "worker"],
            "partitions": partitions,
            "backlog": {name: sum(one[name] for one in partitions) for name in waiting},
            "operations": operations,
        }

    async def _figures(self) -> tuple[list[dict[str, int]], int]:
        offer = await self._catalogue.offer()
        pools = sorted({entry.pool for entry in offer.entries.values()})
        projected = await self._checkpoints.checkpoints(self._partitions)
        partitions = []
        for figures in await self._inspection.backlogs(self._partitions, pools):
            known = projected.get(figures["partition"])
            seq = known.seq if known else 0
            # the projection is read first, so it may seem behind by what was projected meanwhile, never ahead
            partitions.append(figures | {"projected": seq, "lag": max(0, figures["seq"] - seq)})
        return partitions, len(offer.entries)

    def _services(self) -> list[dict[str, Any]]:
        return [
            {
                "role": beat.role,
                "instance": beat.instance,
                "is_alive": is_alive,
                "host": beat.host,
                "pid": beat.pid,
                "started_at": beat.started_at,
                "seen_at": beat.at,
                "facts": beat.facts,
            }
            for beat, is_alive in self._census.all()
        ]
