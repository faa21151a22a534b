"""Signs of life: every instance counts up; who stands still by an observer's own clock is lost."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from objproc.clock import Clock
from objproc.streams.ports import HeartbeatPort

FORGET_AFTER_S = 60.0


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One sign of life."""

    role: str
    instance: str
    counter: int
    host: str
    pid: int
    started_at: datetime
    at: datetime
    facts: dict[str, Any]
    """What the instance says of itself: partitions, running tasks, rates."""


class Pulse:
    """The signs of life of this instance."""

    def __init__(self, port: HeartbeatPort, role: str, instance: str, clock: Clock) -> None:
        self._port = port
        self._role = role
        self._instance = instance
        self._clock = clock
        self._started_at = clock.now()
        self._counter = 0
        self.facts: Callable[[], dict[str, Any]] = dict

    async def step(self) -> None:
        """Give one sign of life."""
        self._counter += 1
        beat = Beat(
            role=self._role,
            instance=self._instance,
            counter=self._counter,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._started_at,
            at=self._clock.now(),
            facts=self.facts(),
        )
        await self._port.beat(self._instance, msgspec.json.encode(beat))

    async def stop(self) -> None:
        """Take the sign of life back: the others need not wait until it is missed."""
        await self._port.forget_instances([self._instance])


class Census:
    """Who lives: judged by counters that move, on the observer's monotonic clock, never by wall clocks.

    Only time in which the observer really looked counts: after an outage of Redis, or a freeze of its own, everybody
    has two heartbeats to move again.
    """

    def __init__(self, port: HeartbeatPort, clock: Clock, heartbeat_ms: int) -> None:
        self._port = port
        self._clock = clock
        self._lost_after_s = 2 * heartbeat_ms / 1000
        self._looked_at = clock.monotonic()
        self._seen: dict[str, tuple[int, float]] = {}
        self._beats: dict[str, Beat] = {}

    async def step(self) -> None:
        """Look at all signs of life; forget instances that have been silent for long."""
        bodies = await self._port.beats()
        now = self._clock.monotonic()
        blind_s = now - self._looked_at
        if blind_s > self._lost_after_s:
            self._seen = {name: (counter, since + blind_s) for name, (counter, since) in self._seen.items()}
        self._looked_at = now
        self._beats = {name: msgspec.json.decode(body, type=Beat) for name, body in bodies.items()}
        for name, beat in self._beats.items():
            counter, _ = self._seen.get(name, (-1, now))
            if counter != beat.counter:
                self._seen[name] = (beat.counter, now)
        silent = [name for name in self._beats if now - self._seen[name][1] > FORGET_AFTER_S]
        await self._port.forget_instances(silent)

    def is_lost(self, instance: str) -> bool:
        """True once the instance has stood still for two heartbeats."""
        _, since = self._seen.setdefault(instance, (-1, self._looked_at))
        return self._looked_at - since > self._lost_after_s

    def living(self, role: str) -> Mapping[str, Beat]:
        """Instances of `role` that are not lost, by id."""
        return {n: b for n, b in self._beats.items() if b.role == role and not self.is_lost(n)}

    def all(self) -> list[tuple[Beat, bool]]:
        """Every known instance, and whether it lives."""
        return [(beat, not self.is_lost(name)) for name, beat in sorted(self._beats.items())]
