"""Cancel, retry, delete: refused at once where the state says no, else sent and waited for."""

from __future__ import annotations

from dataclasses import dataclass

from objproc.clock import Clock
from objproc.domain.commands import CancelObject, DeleteObject, RetryObject
from objproc.domain.state_machine import TERMINAL, ProcessState
from objproc.feed import FeedCommit
from objproc.streams.ports import AppendMode
from objproc.wire.envelope import Commit
from objproc_api.caller import Caller
from objproc_api.commands import Commands
from objproc_api.feed import FeedHub
from objproc_api.ids import new_id
from objproc_api.lookup import Lookup
from objproc_api.outcomes import caused_by, rejection_in, wait_for
from objproc_api.ports import HistoryPort
from objproc_api.problems import Problem
from objproc_api.views import Found

DECISION_WAIT_S = 2.0
STOPPED = TERMINAL
DELETED = frozenset({ProcessState.DELETED})
RUNS_AGAIN = frozenset(ProcessState) - {ProcessState.FAILED}

Order = CancelObject | RetryObject | DeleteObject
Goal = frozenset[ProcessState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The object afterwards. `command_id` names a command whose effect is still to come."""

    found: Found
    command_id: str | None = None


class Control:
    """Commands to objects that exist."""

    def __init__(
        self,
        *,
        lookup: Lookup,
        history: HistoryPort,
        commands: Commands,
        hub: FeedHub,
        clock: Clock,
        decision_wait_s: float = DECISION_WAIT_S,
    ) -> None:
        self._lookup = lookup
        self._history = history
        self._commands = commands
        self._hub = hub
        self._clock = clock
        self._decision_wait_s = decision_wait_s

    async def cancel(self, object_id: str, caller: Caller) -> Outcome:
        """Stop the object. 409 `object_finished` where there is nothing to stop."""
        found = await self._lookup.get(caller.tenant, object_id)
        state = found.current.state
        if state is ProcessState.CANCELLED:
            return Outcome(found=found)
        if found.current.is_terminal:
            raise Problem(409, "object_finished", f"the object is {state} already")
        order = CancelObject(object_id=found.current.object_id, command_id=new_id(self._clock))
        return await self._obey(order, found, caller, STOPPED)

    async def retry(self, object_id: str, caller: Caller) -> Outcome:
        """Run again what failed. 409 `object_not_failed` for an object in any other state."""
        found = await self._lookup.get(caller.tenant, object_id)
        current = found.current
        if current.state is not ProcessState.FAILED:
            detail = f"only a FAILED object can be retried; it is {current.state}"
            raise Problem(409, "object_not_failed", detail)
        content = None
        if current.content.is_upload:
            content = await self._lookup.upload(current.tenant, current.identifier)
        order = RetryObject(object_id=current.object_id, command_id=new_id(self._clock), content=content)
        return await self._obey(order, found, caller, RUNS_AGAIN)

    async def delete(self, object_id: str, caller: Caller, *, is_forced: bool) -> Outcome:
        """Forget content and artifacts. 409 `object_active` for one that is not finished, unless forced."""
        found = await self._lookup.get(caller.tenant, object_id)
        current = found.current
        if current.state is ProcessState.DELETED:
            return Outcome(found=found)
        if not current.is_terminal and not is_forced:
            detail = f"the object is {current.state}; cancel it first, or force"
            raise Problem(409, "object_active", detail)
        order = DeleteObject(object_id=current.object_id, command_id=new_id(self._clock), is_forced=is_forced)
        return await self._obey(order, found, caller, DELETED)

    async def _obey(self, order: Order, found: Found, caller: Caller, goal: Goal) -> Outcome:
        watch = Watch(order, found, goal, self._history, self._lookup)
        with self._hub.subscribe(order.object_id) as subscription:
            await self._commands.send(order, order.command_id, AppendMode.PLAIN, caller)
            is_reached = await wait_for(subscription, watch.sees, watch.looks, self._decision_wait_s)
        if watch.is_rejected:
            await watch.refuse()
        after = await self._lookup.get(caller.tenant, order.object_id)
        # a command that another one made needless is decided to nothing, which no feed tells
        is_reached = is_reached or after.current.state in goal
        return Outcome(found=after, command_id=None if is_reached else order.command_id)


class Watch:
    """Follows one command: to its decision, and then to its goal."""

    def __init__(self, order: Order, before: Found, goal: Goal, history: HistoryPort, lookup: Lookup) -> None:
        self._order = order
        self._before = before.current
        self._goal = goal
        self._history = history
        self._lookup = lookup
        self._is_decided = False
        self.is_rejected = False

    def sees(self, commit: FeedCommit) -> bool:
        """True once the feed shows the goal, or that it will not be reached."""
        if commit.cause == self._order.command_id:
            self._is_decided = True
            self.is_rejected = any(event.event == "CommandRejected" for event in commit.events)
        is_there = bool(commit.events) and commit.events[-1].state in self._goal
        return self.is_rejected or (self._is_decided and is_there)

    async def looks(self) -> bool:
        """The same, by what PostgreSQL shows."""
        commit = await self._commit()
        if commit is None:
            return False
        self._is_decided, self.is_rejected = True, rejection_in(commit) is not None
        now = await self._lookup.get(self._before.tenant, self._before.object_id)
        return self.is_rejected or now.current.state in self._goal

    async def refuse(self) -> None:
        """409 with the scheduler's own reason."""
        commit = await self._commit()
        rejection = rejection_in(commit) if commit else None
        if rejection is not None:
            raise Problem(409, rejection.code, rejection.detail)

    async def _commit(self) -> Commit | None:
        before = self._before
        return await caused_by(self._history, before.object_id, self._order.command_id, before.version)
