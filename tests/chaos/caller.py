"""A client that gives up on nothing: it repeats what may be repeated, on whichever replica answers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

PATIENCE_S = 90.0
PAUSE_FIRST_S = 0.25
PAUSE_MAX_S = 4.0  # a thousand clients who ask every second would be a fault of its own on a small machine
TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=2)
AWAY = (aiohttp.ClientError, TimeoutError, OSError)

Answer = tuple[int, dict[str, Any]]


class Caller:
    """Calls the API's replicas by turns."""

    def __init__(self, http: aiohttp.ClientSession, urls: Sequence[str], chance: random.Random) -> None:
        self.http = http
        self.answers: Counter[str] = Counter()
        """What came back, by status; `lost` where the connection broke."""
        self._urls = list(urls)
        self._chance = chance

    def any_url(self) -> str:
        """One of the replicas."""
        return self._chance.choice(self._urls)

    def other_url(self, url: str) -> str:
        """Another one than this, where there is one."""
        return self._chance.choice([each for each in self._urls if each != url] or self._urls)

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, repeats: bool = True
    ) -> Answer | None:
        """The first answer that is none of 429, 500, 503; None where none comes, or where a repeat is not safe."""
        url, pause_s = self.any_url(), PAUSE_FIRST_S
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                async with self.http.request(
                    method, url + path, json=body, headers=headers, timeout=TIMEOUT
                ) as response:
                    value = await response.json(content_type=None)
                    self.answers[str(response.status)] += 1
                    if response.status not in {429, 500, 503}:
                        return response.status, value
                    pause_s = max(pause_s, float(response.headers.get("Retry-After", 0)))
            except (*AWAY, ValueError):
                self.answers["lost"] += 1
                if not repeats:
                    return None
            if asyncio.get_running_loop().time() > deadline:
                return None
            await asyncio.sleep(pause_s * self._chance.uniform(0.5, 1.0))
            pause_s = min(PAUSE_MAX_S, 2 * pause_s)
            url = self.other_url(url)
