"""Pressure: the api turns new work away while Redis is nearly full, so that the rest can drain what was accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from objproc.settings import Settings
from objproc.streams.ports import Load
from objproc.telemetry import Log
from objproc_api.problems import overloaded

BACKLOG_LOW = 0.9  # of its bound: new commands are accepted again below

log = Log("pressure")


class LoadPort(Protocol):
    """How full Redis is."""

    async def load(self, partitions: Sequence[int]) -> Load:
        """Memory, and commands that are not projected yet."""
        ...


class Pressure:
    """Looks every now and then; a request costs a comparison."""

    def __init__(self, port: LoadPort, settings: Settings) -> None:
        self._port = port
        self._partitions = range(settings.partitions)
        self._memory_marks = (settings.redis_memory_high, settings.redis_memory_low)
        self._backlog_marks = (settings.commands_pending_max, BACKLOG_LOW * settings.commands_pending_max)
        self.reason = ""
        """Why no new commands are accepted; empty while they are."""

    async def step(self) -> None:
        """Look once. Between the marks, things stay as they are."""
        load = await self._port.load(self._partitions)
        share = load.bytes_used / load.bytes_max if load.bytes_max else 0.0
        # above the upper mark, or above the lower one since the upper one was passed
        memory, backlog = (marks[bool(self.reason)] for marks in (self._memory_marks, self._backlog_marks))
        if share > memory:
            reason = f"Redis uses {share:.0%} of its memory"
        elif load.backlog > backlog:
            reason = f"{load.backlog} commands wait to be processed"
        else:
            reason = ""
        if bool(reason) != bool(self.reason):
            log.warning("commands_refused" if reason else "commands_accepted_again", reason=reason or self.reason)
        self.reason = reason

    def admit(self) -> None:
        """503 `overloaded` while there is no room for new work."""
        if self.reason:
            raise overloaded(self.reason)
