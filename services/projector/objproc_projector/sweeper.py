"""The sweeper: takes bytes out of S3 that no object refers to any more."""

from __future__ import annotations

from typing import Protocol

from objproc.store.garbage import GarbagePort
from objproc.store.s3 import key_of
from objproc.telemetry import Log

log = Log("sweeper")

SWEEP_COUNT = 200


class SweepPort(Protocol):
    """The bucket, as far as sweeping needs it."""

    async def age_s(self, key: str) -> float | None:
        """Seconds since the bytes were last written; None where none lie."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the bytes; nothing there is fine."""
        ...


class Sweeper:
    """Sweeps what has been garbage for the grace period, in which a running operation may still want it."""

    def __init__(self, garbage: GarbagePort, store: SweepPort, grace_s: float) -> None:
        self._garbage = garbage
        self._store = store
        self._grace_s = grace_s

    async def step(self) -> None:
        """One bounded sweep."""
        swept: list[tuple[str, str]] = []
        for tenant, sha256 in await self._garbage.unneeded(self._grace_s, SWEEP_COUNT):
            key = key_of(tenant, sha256)
            age_s = await self._store.age_s(key)
            if age_s is not None and age_s < self._grace_s:
                continue  # somebody wrote the same bytes again and is about to refer to them
            await self._store.delete(key)
            swept.append((tenant, sha256))
        if swept:
            await self._garbage.forget(swept)
            log.info("swept", artifacts=len(swept))
