"""Health of the whole, of this replica, and of its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from objproc.errors import ObjprocError, TransientError
from objproc.heartbeat import Census
from objproc.lifecycle import until_ready
from objproc.streams.ports import Standing
from objproc_api.planning import Catalogue

ROLES = ("api", "scheduler", "worker", "projector")
CHECK_S = 2.0
AWAY = "away"

Pings = Mapping[str, Callable[[], Awaitable[object]]]
"""By server: a call that fails while it is away."""


class StandingPort(Protocol):
    """What an acknowledgement is worth."""

    async def standing(self) -> Standing:
        """By the level that was asked for."""
        ...


class Health:
    """What is missing, if anything."""

    def __init__(self, pings: Pings, census: Census, catalogue: Catalogue, redis: StandingPort) -> None:
        self._redis = redis
        self._pings = pings
        self._census = census
        self._catalogue = catalogue
        self.is_set_up = False
        """True once tables and bucket are there."""

    async def set_up(self, steps: Pings, stopping: asyncio.Event) -> None:
        """Make what the service needs, as soon as each server is there."""
        for name, step in steps.items():
            await until_ready(name, step, stopping)
        self.is_set_up = True

    async def durability(self) -> dict[str, Any]:
        """The level that was asked for, whether the server reaches it, and why not."""
        try:
            async with asyncio.timeout(CHECK_S):
                return asdict(await self._redis.standing())
        except (ObjprocError, TimeoutError):
            return {"level": None, "is_met": False, "reason": "Redis is away"}

    async def servers(self) -> dict[str, str]:
        """By server: `ok`, or what is wrong with it."""
        states = await asyncio.gather(*(check(ping) for ping in self._pings.values()))
        return dict(zip(self._pings, states, strict=True))

    async def whole(self) -> tuple[dict[str, Any], bool]:
        """Servers, services, operations; and whether all of it is there."""
        servers = await self.servers()
        living = {role: len(self._census.living(role)) for role in ROLES}
        missing = [name for name, state in servers.items() if state != "ok"]
        missing += [role for role, instances in living.items() if not instances]
        if not missing and not await self._has_operations():
            missing.append("operations")
        body = {
            "status": "unavailable" if missing else "ok",
            "services": {role: {"living": instances} for role, instances in living.items()},
            "servers": servers,
            "missing": missing,
        }
        return body, not missing

    async def _has_operations(self) -> bool:
        try:
            return bool((await self._catalogue.offer()).entries)
        except TransientError:
            return False


async def check(ping: Callable[[], Awaitable[object]]) -> str:
    """`ok`, or `away`."""
    try:
        async with asyncio.timeout(CHECK_S):
            await ping()
    except (ObjprocError, TimeoutError):
        return AWAY
    return "ok"
