"""Finding objects: the projection first, then what is durable but not projected yet."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from uuid import UUID

from objproc.clock import Clock
from objproc.domain.commands import ProcessObject, StoreContent
from objproc.domain.content import Content
from objproc.domain.ids import content_id, partition_of
from objproc.domain.processing_object import OperationRun, ProcessingObject
from objproc.streams.ports import CommandPort
from objproc.wire.codec import decode_command
from objproc.wire.envelope import Origin
from objproc_api.ids import COMMAND_ID_CHARS, time_of
from objproc_api.paths import object_id_of
from objproc_api.ports import ContentsPort, ObjectsPort
from objproc_api.problems import Problem
from objproc_api.views import Found

REMEMBERED_MAX = 10_000
REMEMBERED_S = 5.0
MISS_WAIT_S = 0.5
MISS_PAUSE_S = 0.05


class Lookup:
    """Objects and uploads of a tenant. An acknowledged one is always found."""

    def __init__(
        self,
        objects: ObjectsPort,
        contents: ContentsPort,
        commands: CommandPort,
        partitions: int,
        clock: Clock,
        miss_wait_s: float = MISS_WAIT_S,
    ) -> None:
        self._objects = objects
        self._contents = contents
        self._commands = commands
        self._partitions = partitions
        self._clock = clock
        self._miss_wait_s = miss_wait_s
        self._submitted: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    def remember(self, tenant: str, identifier: str, object_id: str) -> None:
        """Keep in mind for a moment what this replica acknowledged: pending commands have no index by identifier."""
        self._submitted[tenant, identifier] = (object_id, self._clock.monotonic() + REMEMBERED_S)
        self._submitted.move_to_end((tenant, identifier))
        if len(self._submitted) > REMEMBERED_MAX:
            self._submitted.popitem(last=False)

    async def by_id(self, tenant: str, object_id: str) -> Found | None:
        """The object. Projection, pending, projection: it may pass from one to the other in between."""
        if found := await self._objects.by_id(tenant, object_id):
            return found
        if found := await self._pending(tenant, object_id):
            return found
        return await self._objects.by_id(tenant, object_id)

    async def get(self, tenant: str, object_id: str) -> Found:
        """The object. 404 `object_not_found` where there is none."""
        found = await self.by_id(tenant, object_id) if object_id_of(object_id) else None
        if found is None:
            raise not_found(f"there is no object {object_id!r}")
        return found

    async def resolve(self, tenant: str, name: str) -> Found:
        """The object that is meant: by object id, or the newest run under an identifier. 404 where there is none."""
        object_id = object_id_of(name)
        if object_id is not None and (found := await self.by_id(tenant, object_id)):
            return found
        deadline = self._clock.monotonic() + self._miss_wait_s
        while True:
            if found := await self._newest(tenant, name):
                return found
            # another replica may have acknowledged it a moment ago
            if self._clock.monotonic() >= deadline:
                raise not_found(f"there is no object with the id or identifier {name!r}")
            await asyncio.sleep(MISS_PAUSE_S)

    async def upload(self, tenant: str, identifier: str) -> Content | None:
        """The newest upload under an identifier. Pending replaces what is projected, so it is asked first."""
        name = content_id(tenant, identifier)
        if found := await self.pending_upload(name):
            return found
        return await self._contents.content(tenant, name)

    async def pending_upload(self, name: str) -> Content | None:
        """The upload under this content id that is not projected yet."""
        (held,) = await self._commands.pending(partition_of(name, self._partitions), [name])
        if held is None:
            return None
        command, _ = decode_held(held)
        return command.content if isinstance(command, StoreContent) else None

    async def _newest(self, tenant: str, identifier: str) -> Found | None:
        projected = await self._objects.newest(tenant, identifier)
        object_id, until = self._submitted.get((tenant, identifier), ("", 0.0))
        if until <= self._clock.monotonic() or (projected and projected.current.object_id == object_id):
            return projected
        submitted = await self._pending(tenant, object_id)
        return submitted or await self._objects.newest(tenant, identifier)

    async def _pending(self, tenant: str, object_id: str) -> Found | None:
        (held,) = await self._commands.pending(partition_of(object_id, self._partitions), [object_id])
        if held is None:
            return None
        command, origin = decode_held(held)
        if not isinstance(command, ProcessObject) or command.tenant != tenant:
            return None
        return pending_object(command, origin)


def decode_held(held: bytes) -> tuple[object, Origin]:
    """What the pending hash holds: the command's id, then the command."""
    return decode_command(held[COMMAND_ID_CHARS:])


def pending_object(command: ProcessObject, origin: Origin) -> Found:
    """The object of a command that nobody decided yet; its time is the command's."""
    at = time_of(UUID(origin.cause))
    current = ProcessingObject(
        object_id=command.object_id,
        tenant=command.tenant,
        identifier=command.identifier,
        content=command.content,
        fingerprint=command.fingerprint,
        correlation_id=command.correlation_id,
        traceparent=command.traceparent,
        runs={planned.type: OperationRun(planned=planned) for planned in command.plan},
        metadata=command.metadata,
        tags=command.tags,
        priority=command.priority,
        not_before=command.not_before,
        submitted_at=at,
        updated_at=at,
    )
    return Found(current, is_pending=True)


def not_found(detail: str) -> Problem:
    """404 for objects."""
    return Problem(404, "object_not_found", detail)
