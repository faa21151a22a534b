"""A held load of so many objects a second, of every kind, by a client that keeps a journal."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from chaos.caller import AWAY, Caller
from chaos.journal import Journal, Order, Sighting

API = "/api/v1"
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "DELETED"}
MIX = {"chain": 62, "nap": 14, "repeat": 8, "watch": 5, "no_key": 5, "cancel": 2, "retry": 2, "delete": 2}
KINDS_WITH_S3 = {"nap", "watch", "delete"}
SHARED = 20  # identifiers that many naps share, so that their artifacts are the same bytes
ENDS_WITHIN_S = 150.0
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=25)


class Load:
    """Sends objects at a held rate, whatever becomes of them."""

    def __init__(self, caller: Caller, journal: Journal, chance: random.Random, name: str) -> None:
        self._caller = caller
        self._journal = journal
        self._chance = chance
        self._name = name
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent: Counter[str] = Counter()
        self.failures: list[str] = []

    async def run(self, per_second: float, stopping: asyncio.Event) -> None:
        """Send until told to stop; what is late is made up for."""
        started = time.monotonic()
        while not stopping.is_set():
            due = int((time.monotonic() - started) * per_second)
            while self._number < due:
                self._start_one()
            await asyncio.sleep(0.01)

    async def finish(self) -> None:
        """Wait until every object's client has had its answers; cancelled, they give up."""
        try:
            while self._tasks:
                await asyncio.wait(self._tasks)
        except asyncio.CancelledError:
            self.failures.append(f"{self.unfinished} clients still wait")
            for task in self._tasks:
                task.cancel()
            raise

    @property
    def unfinished(self) -> int:
        """How many clients still wait for something."""
        return len(self._tasks)

    def _start_one(self) -> None:
        self._number += 1
        kind = self._chance.choices(list(MIX), list(MIX.values()))[0]
        self.sent[kind] += 1
        lives: dict[str, Callable[[int, str], Awaitable[None]]] = {
            "cancel": self._cancel,
            "retry": self._retry,
            "delete": self._delete,
            "watch": self._watch,
            "repeat": self._repeat,
        }
        task = asyncio.create_task(self._live(lives.get(kind, self._send_only), self._number, kind))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, life: Callable[[int, str], Awaitable[None]], number: int, kind: str) -> None:
        try:
            await life(number, kind)
        except Exception as error:  # noqa: BLE001 - the campaign goes on, and tells
            self.failures.append(f"{kind}: {type(error).__name__}: {error}")

    # ---- the kinds ----

    async def _send_only(self, number: int, kind: str) -> None:
        await self._submit(number, kind)

    async def _repeat(self, number: int, kind: str) -> None:
        """The same request under one key: at the same time on any replica, and again later."""
        key, body = self._request(number, "chain")
        sent_at = time.time()
        await asyncio.gather(*(self._post(kind, body, key, sent_at) for _ in range(2)))
        await asyncio.sleep(self._chance.uniform(0, 5))
        await self._post(kind, body, key, sent_at)

    async def _cancel(self, number: int, kind: str) -> None:
        object_id = await self._submit(number, kind, {"nap": {"seconds": 20}})
        await asyncio.sleep(self._chance.uniform(0, 1))
        if object_id:
            await self._order(object_id, "cancel", "POST", f"{API}/objects/{object_id}/cancel")

    async def _retry(self, number: int, kind: str) -> None:
        object_id = await self._submit(number, kind)
        if object_id and await self._state_of(object_id, {"FAILED"}):
            await self._order(object_id, "retry", "POST", f"{API}/objects/{object_id}/retry")

    async def _delete(self, number: int, kind: str) -> None:
        object_id = await self._submit(number, kind)
        if object_id and await self._state_of(object_id, TERMINAL):
            await self._order(object_id, "delete", "DELETE", f"{API}/objects/{object_id}")

    async def _watch(self, number: int, kind: str) -> None:
        """Follow an object to its end, on another replica after every few events."""
        object_id = await self._submit(number, kind, {"nap": {"seconds": 0.3}})
        if object_id is None:
            return
        sighting = Sighting(object_id=object_id)
        self._journal.sightings.append(sighting)
        url = self._caller.any_url()
        deadline = time.monotonic() + ENDS_WITHIN_S
        while not sighting.is_over and time.monotonic() < deadline:
            try:
                await self._follow(url, sighting, self._chance.randint(1, 8))
            except AWAY:
                await asyncio.sleep(self._chance.uniform(0.1, 0.5))
            url = self._caller.other_url(url)

    async def _follow(self, url: str, sighting: Sighting, events_max: int) -> None:
        """One connection; it ends after so many events."""
        headers = {"Last-Event-ID": str(sighting.events[-1][0])} if sighting.events else {}
        address = f"{url}{API}/progress/{sighting.object_id}/stream"
        async with self._caller.http.get(address, headers=headers, timeout=STREAM_TIMEOUT) as response:
            if response.status == 404:
                self._journal.broken_promises.append((sighting.object_id, "acknowledged, its stream is 404"))
            if response.status != 200:
                await asyncio.sleep(0.2)
                return
            sighting.connections += 1
            version, name = 0, ""
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    version = int(line[4:])
                elif line.startswith("event: "):
                    name = line[7:]
                elif not line and name and name != "progress":
                    sighting.events.append((version, name))
                    sighting.is_over = name in {"ObjectCompleted", "ObjectFailed", "ObjectCancelled"}
                    events_max -= 1
                    name = ""
                    if sighting.is_over or not events_max:
                        return

    # ---- what they share ----

    def _request(self, number: int, kind: str) -> tuple[str, dict[str, Any]]:
        key = f"{self._name}-{number}"
        if kind in {"chain", "no_key"}:
            return key, {"identifier": key, "operations": ["noop5"]}
        if kind == "retry":
            return key, {"identifier": key, "operations": ["unlucky"]}
        shared = f"{self._name}-shared-{number % SHARED}"
        identifier = shared if kind in {"nap", "delete"} and number % 2 else key
        return key, {"identifier": identifier, "operations": ["last"]}

    async def _submit(self, number: int, kind: str, params: dict[str, Any] | None = None) -> str | None:
        key, body = self._request(number, kind)
        body |= {"params": params} if params else {}
        return await self._post(kind, body, None if kind == "no_key" else key, time.time())

    async def _post(self, kind: str, body: dict[str, Any], key: str | None, sent_at: float) -> str | None:
        """The object id, once acknowledged; None where it is not known whether there is such an object."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self._caller.call("POST", f"{API}/process", body, headers, repeats=key is not None)
        if answer is None or answer[0] not in {200, 202}:
            if answer is not None:
                self.failures.append(f"{kind}: submission answered {answer}")
            return None
        object_id: str = answer[1]["object_id"]
        self._journal.acknowledge(object_id, kind, sent_at, key)
        return object_id

    async def _state_of(self, object_id: str, wanted: set[str]) -> bool:
        """Whether the object came to one of these states; 404 for it would break a promise."""
        deadline = time.monotonic() + ENDS_WITHIN_S
        while time.monotonic() < deadline:
            answer = await self._caller.call("GET", f"{API}/progress/{object_id}")
            if answer is not None and answer[0] == 404:
                self._journal.broken_promises.append((object_id, "acknowledged, GET answers 404"))
                return False
            if answer is not None and answer[1].get("state") in wanted:
                return True
            await asyncio.sleep(0.5)
        return False

    async def _order(self, object_id: str, verb: str, method: str, path: str) -> None:
        """Give the order until it is answered; 409 says that an earlier one of ours was obeyed already."""
        sent_at = time.time()
        answer = await self._caller.call(method, path)
        if answer is None:
            return
        status, body = answer
        if status in {200, 202}:
            order = Order(
                object_id=object_id,
                verb=verb,
                command_id=body.get("command_id"),
                sent_at=sent_at,
                acknowledged_at=time.time(),
            )
            self._journal.orders.append(order)
        elif status == 404:
            self._journal.broken_promises.append((object_id, f"acknowledged, {verb} answers 404"))
        elif status != 409:
            self.failures.append(f"{verb}: answered {answer}")
