"""Submitting an object: plan, content, one durable command; a repeat under a key meets the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objproc.clock import Clock
from objproc.domain.commands import ProcessObject
from objproc.domain.content import PlannedOperation
from objproc.domain.ids import derived_id
from objproc.domain.processing_object import ProcessingObject
from objproc.streams.ports import AppendMode
from objproc_api.caller import Caller
from objproc_api.commands import Commands, Sent
from objproc_api.contents import Contents
from objproc_api.ids import new_id
from objproc_api.lookup import Lookup, decode_held, pending_object
from objproc_api.outcomes import read_commits
from objproc_api.planning import Catalogue, plan_of
from objproc_api.ports import HistoryPort, ObjectsPort
from objproc_api.problems import Problem
from objproc_api.schemas import ProcessRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """An object to be: all that is decided before its command is sent."""

    command: ProcessObject
    command_id: str
    has_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A durable object. `is_replay` where an earlier request under the same key made it."""

    current: ProcessingObject
    position: str
    is_replay: bool


class Submissions:
    """Makes requests into durable commands."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        contents: Contents,
        commands: Commands,
        objects: ObjectsPort,
        history: HistoryPort,
        lookup: Lookup,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._contents = contents
        self._commands = commands
        self._objects = objects
        self._history = history
        self._lookup = lookup
        self._clock = clock

    async def plan(self, request: ProcessRequest) -> tuple[PlannedOperation, ...]:
        """What `request` would run. A Problem for what cannot."""
        return plan_of(request, await self._catalogue.offer())

    async def prepare(
        self, request: ProcessRequest, body: bytes, fingerprint: str, key: str | None, caller: Caller
    ) -> Submission:
        """The command of a valid request; its content is where workers find it."""
        self._commands.admit()
        plan = await self.plan(request)
        content = await self._contents.resolve(request, body, caller.tenant)
        command_id = new_id(self._clock)
        object_id = command_id if key is None else derived_id("object", caller.tenant, key)
        command = ProcessObject(
            object_id=object_id,
            tenant=caller.tenant,
            identifier=request.identifier,
            plan=plan,
            content=content,
            fingerprint=fingerprint,
            correlation_id=caller.correlation_id or object_id,
            traceparent=caller.traceparent,
            metadata=request.metadata,
            tags=tuple(dict.fromkeys(request.tags)),
            priority=request.priority,
            not_before=request.not_before,
        )
        return Submission(command=command, command_id=command_id, has_key=key is not None)

    async def submit(self, submission: Submission, caller: Caller) -> Submitted:
        """Make it durable. 422 `idempotency_key_reused` where its key named another request before.

        The command goes out before PostgreSQL is asked for an earlier object: an earlier command is pending
        until its object is projected, so whoever came first is met in one of the two places, without a gap. A
        command that came second names the same object, so it is decided to nothing.
        """
        command = submission.command
        sent = await self._commands.send(command, submission.command_id, AppendMode.NEW, caller)
        position = f"{sent.partition}:{sent.appended.seq + 1}"
        earlier = await self._earlier(submission, sent) if submission.has_key else None
        if earlier is not None:
            if earlier.fingerprint != command.fingerprint:
                detail = "this Idempotency-Key was used for another request"
                raise Problem(422, "idempotency_key_reused", detail)
            return Submitted(current=earlier, position=position, is_replay=True)
        self._lookup.remember(command.tenant, command.identifier, command.object_id)
        current = pending_object(command, caller.origin(submission.command_id, command.object_id)).current
        return Submitted(current=current, position=position, is_replay=False)

    async def _earlier(self, submission: Submission, sent: Sent) -> ProcessingObject | None:
        """The object as an earlier command made it; None where ours is the first."""
        command = submission.command
        projected = await self._objects.by_id(command.tenant, command.object_id)
        if projected is not None:
            commits = await read_commits(self._history, command.object_id, 0)
            is_ours = commits[0].origin.cause == submission.command_id
            return None if is_ours else projected.current
        if sent.appended.earlier is None:
            return None
        pending, origin = decode_held(sent.appended.earlier)
        assert isinstance(pending, ProcessObject)
        return pending_object(pending, origin).current


def names_of(plan: Sequence[PlannedOperation]) -> list[str]:
    """The plan's operations, parents first."""
    return [planned.type for planned in plan]
