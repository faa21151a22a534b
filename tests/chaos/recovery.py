"""How long it takes after a fault until objects are visibly completed again."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from chaos.archive import Known
from chaos.journal import Acknowledged

SAMPLE_S = 0.1
NEEDS_S3 = {"s3"}


class Sampler:
    """Notes up to where each partition is visible, by asking PostgreSQL directly, past the proxies."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._samples: dict[int, list[tuple[int, float]]] = {}

    async def run(self) -> None:
        """Sample until cancelled; while PostgreSQL is away nothing is visible."""
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=2, command_timeout=2)
                try:
                    while True:
                        await self._sample(connection)
                        await asyncio.sleep(SAMPLE_S)
                finally:
                    connection.terminate()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(SAMPLE_S)

    async def _sample(self, connection: asyncpg.Connection) -> None:
        rows = await connection.fetch("SELECT partition, seq FROM checkpoints")
        now = time.time()
        for row in rows:
            samples = self._samples.setdefault(row["partition"], [(0, 0.0)])
            if row["seq"] > samples[-1][0]:
                samples.append((row["seq"], now))

    def visible_at(self, partition: int, seq: int) -> float | None:
        """When the commit was visible (Unix seconds); None where no sample shows it."""
        samples = self._samples.get(partition, [])
        index = bisect_left(samples, (seq, 0.0))
        return samples[index][1] if index < len(samples) else None


def recoveries(
    faults: Iterable[tuple[str, float]],
    objects: Iterable[Acknowledged],
    known: Known,
    sampler: Sampler,
    kinds_with_s3: set[str],
) -> dict[str, list[float]]:
    """By part: for each fault (part, Unix seconds) the seconds until objects that were sent later are completed.

    Until then means: in every partition at least one such object is visibly COMPLETED; for S3, anywhere at least one
    that leaves an artifact.
    """
    done: list[tuple[float, float, int, str]] = []
    for entry in objects:
        place = known.completions.get(entry.object_id)
        seen_at = sampler.visible_at(*place) if place else None
        if place and seen_at is not None:
            done.append((entry.sent_at, seen_at, place[0], entry.kind))
    found: dict[str, list[float]] = {}
    for part, at in faults:
        first: dict[int, float] = {}
        for sent_at, seen_at, partition, kind in done:
            if sent_at >= at and (part not in NEEDS_S3 or kind in kinds_with_s3):
                where = 0 if part in NEEDS_S3 else partition
                first[where] = min(seen_at, first.get(where, seen_at))
        if first:
            found.setdefault(part, []).append(max(first.values()) - at)
    return found


def takeovers(kills: Sequence[tuple[int, float]], known: Known) -> list[float]:
    """Seconds from the kill of a worker (pid, Unix seconds) until each of its tasks was taken over."""
    found = []
    for pid, at in kills:
        found += [when - at for worker, when in known.takeovers if f"-{pid}-" in worker and when >= at]
    return found


def percentiles(values: Sequence[float]) -> Mapping[str, float]:
    """p50, p99 and the greatest, in seconds."""
    ordered = sorted(values)
    if not ordered:
        return {}
    place = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99)]
    return {"p50_s": round(place[0], 2), "p99_s": round(place[1], 2), "max_s": round(ordered[-1], 2)}
