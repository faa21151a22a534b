"""Which partitions this instance works on: leases, shared out fairly among the living instances of its role."""

from __future__ import annotations

import math
from collections.abc import Sequence

from objproc.heartbeat import Census
from objproc.streams.ports import LeasePort
from objproc.telemetry import Log

log = Log("leases")


class Leases:
    """The leases of one instance. They only save double work; being late with them harms nothing."""

    def __init__(
        self, port: LeasePort, census: Census, *, role: str, instance: str, partitions: int, lease_ms: int
    ) -> None:
        self._port = port
        self._census = census
        self._role = role
        self._instance = instance
        self._all = range(partitions)
        self._lease_ms = lease_ms
        self.held: set[int] = set()

    async def step(self) -> tuple[set[int], set[int]]:
        """Prolong, take and give back leases; answers what came and what went."""
        before = set(self.held)
        kept = await self._hold(sorted(self.held))
        surplus = sorted(kept)[self._share() :]
        await self._port.release(self._role, surplus, self._instance)
        self.held = kept - set(surplus)
        for partition in self._all:
            if len(self.held) >= self._share():
                break
            if partition not in self.held and partition not in surplus:
                self.held |= await self._hold([partition])
        came, went = self.held - before, before - self.held
        if came or went:
            log.info("partitions_changed", role=self._role, came=sorted(came), went=sorted(went))
        return came, went

    async def release(self) -> None:
        """Give everything back, so that the others need not wait."""
        await self._port.release(self._role, sorted(self.held), self._instance)
        self.held = set()

    def _share(self) -> int:
        living = len(self._census.living(self._role).keys() | {self._instance})
        return math.ceil(len(self._all) / living)

    async def _hold(self, partitions: Sequence[int]) -> set[int]:
        answers = await self._port.hold(self._role, partitions, self._instance, self._lease_ms)
        return {partition for partition, is_held in zip(partitions, answers, strict=True) if is_held}
