"""Commands on their way into the log's input: requests that come together share a round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from objproc.clock import Clock
from objproc.domain.commands import CancelObject, Command, DeleteObject
from objproc.domain.ids import partition_of
from objproc.streams.ports import Append, Appended, AppendMode, CommandPort
from objproc.wire.codec import encode_message
from objproc_api.caller import Caller

APPENDS_MAX = 500  # of one round trip


class Sent(NamedTuple):
    """A command that is durable now, or the undecided one that was there first."""

    partition: int
    appended: Appended


class Waiting(NamedTuple):
    """A command that waits for the next round trip."""

    partition: int
    append: Append
    future: asyncio.Future[Appended]


class Commands:
    """One append in flight at a time; what arrives meanwhile goes together with the next one.

    No timer is involved: a command that comes alone leaves at once.
    """

    def __init__(
        self, port: CommandPort, partitions: int, clock: Clock, admit: Callable[[], None] = lambda: None
    ) -> None:
        self.admit = admit
        """Raises where new work is turned away: to be asked before anything is stored for it."""
        self._port = port
        self._partitions = partitions
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._flight: asyncio.Task[None] | None = None

    async def send(self, command: Command, command_id: str, mode: AppendMode, caller: Caller) -> Sent:
        """Make `command` durable. TransientError where it is not known whether it is.

        Under pressure only what ends work is let in.
        """
        if not isinstance(command, CancelObject | DeleteObject):
            self.admit()
        object_id = command.object_id
        body = encode_message(command, caller.origin(command_id, object_id), self._clock.now())
        partition = partition_of(object_id, self._partitions)
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(partition, Append(mode, object_id, command_id, body), future))
        if self._flight is None:
            self._flight = asyncio.create_task(self._drain())
        return Sent(partition, await future)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:APPENDS_MAX], self._waiting[APPENDS_MAX:]
                await self._append(batch)
        finally:
            self._flight = None

    async def _append(self, batch: Sequence[Waiting]) -> None:
        by_partition: dict[int, list[Waiting]] = {}
        for waiting in batch:
            by_partition.setdefault(waiting.partition, []).append(waiting)
        try:
            answers = await self._port.append({p: [w.append for w in some] for p, some in by_partition.items()})
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the error of all who shared the call
            for waiting in batch:
                if not waiting.future.done():
                    waiting.future.set_exception(error)
            return
        for partition, some in by_partition.items():
            for waiting, appended in zip(some, answers[partition], strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(appended)
