"""Health of the whole, of this replica, and of its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from objproc.errors import ObjprocError, TransientError
from objproc.heartbeat import Census
from objproc_api.planning import Catalogue

ROLES = ("api", "scheduler", "worker", "projector")
CHECK_S = 2.0
AWAY = "away"

Pings = Mapping[str, Callable[[], Awaitable[object]]]
"""By server: a call that fails while it is away."""


class Health:
    """What is missing, if anything."""

    def __init__(self, pings: Pings, census: Census, catalogue: Catalogue) -> None:
        self._pings = pings
        self._census = census
        self._catalogue = catalogue
        self.is_set_up = False
        """True once tables and bucket are there."""

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
