"""Reports on their way to the scheduler: collected while one batch is under way, then sent as the next."""

from __future__ import annotations

import asyncio

from objproc.clock import Clock
from objproc.domain.commands import Report
from objproc.errors import TransientError
from objproc.streams.ports import Claimed, Finish, TaskPort
from objproc.wire.codec import encode_message
from objproc.wire.envelope import Origin
from objproc_worker.claims import Claims

PASS_S = 5.0  # a pass without anything to tell; so that the loop is seen to go round


class Reports:
    """A report may be sent twice, but is never lost while its worker lives."""

    def __init__(self, port: TaskPort, claims: Claims, worker: str, clock: Clock) -> None:
        self._port = port
        self._claims = claims
        self._actor = f"worker:{worker}"
        self._clock = clock
        self._waiting: dict[int, list[Finish]] = {}
        self._arrived = asyncio.Event()

    def add(self, claimed: Claimed, report: Report, origin: Origin, *, is_final: bool) -> None:
        """Queue a report; a final one also gives up the task."""
        own = Origin(
            cause=origin.cause,
            correlation_id=origin.correlation_id,
            actor=self._actor,
            traceparent=origin.traceparent,
        )
        body = encode_message(report, own, self._clock.now())
        finish = Finish(claimed.pool, claimed.entry_id if is_final else None, body)
        self._waiting.setdefault(claimed.partition, []).append(finish)
        self._arrived.set()

    async def flush(self) -> None:
        """Send what waits, in one round trip. TransientError while the server is away; nothing is lost then."""
        batch, self._waiting = self._waiting, {}
        if not batch:
            return
        try:
            await self._port.finish(batch)
        except TransientError:
            for partition, later in self._waiting.items():
                batch.setdefault(partition, []).extend(later)
            self._waiting = batch
            self._arrived.set()
            raise
        for partition, finishes in batch.items():
            for finish in finishes:
                if finish.entry_id is not None:
                    self._claims.forget((partition, finish.pool, finish.entry_id))

    async def step(self) -> None:
        """Wait for reports, then send them."""
        try:
            async with asyncio.timeout(PASS_S):
                await self._arrived.wait()
        except TimeoutError:
            return
        self._arrived.clear()
        await self.flush()
