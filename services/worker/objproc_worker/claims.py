"""Claiming, without losing a task whose claim was answered by a broken connection."""

from __future__ import annotations

from objproc.errors import TransientError
from objproc.streams.ports import Claimed, TaskPort
from objproc.telemetry import Log

log = Log("claims")

Name = tuple[int, str, str]


class Claims:
    """Knows every task this worker holds, from its claim until its final report was taken."""

    def __init__(self, port: TaskPort, worker: str) -> None:
        self._port = port
        self._worker = worker
        self._known: set[Name] = set()
        self._doubtful: set[str] = set()
        """Pools in which the server may have handed out more than arrived."""

    async def claim(self, pool: str, count: int, wait_ms: int) -> list[Claimed]:
        """Up to `count` new tasks, those first that were handed out unseen."""
        if pool in self._doubtful:
            # what is finished while the answer is on its way may still be in it
            known = set(self._known)
            held = await self._port.held(pool, self._worker)
            self._doubtful.discard(pool)
            known |= self._known
            unseen = [claimed for claimed in held if name_of(claimed) not in known]
            if unseen:
                log.warning("claims_recovered", pool=pool, tasks=len(unseen))
                return self._remember(unseen)
        try:
            return self._remember(await self._port.claim(pool, self._worker, count, wait_ms))
        except TransientError:
            self._doubtful.add(pool)
            raise

    def forget(self, name: Name) -> None:
        """The task's final report was taken."""
        self._known.discard(name)

    def _remember(self, claims: list[Claimed]) -> list[Claimed]:
        self._known.update(map(name_of, claims))
        return claims


def name_of(claimed: Claimed) -> Name:
    """What names a claimed task among all of the worker's."""
    return claimed.partition, claimed.pool, claimed.entry_id
