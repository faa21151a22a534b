"""The one table of transitions of objects and operations, and the callbacks that may watch them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class ProcessState(StrEnum):
    """State of an object."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DELETED = "DELETED"


class OperationState(StrEnum):
    """State of one operation of an object."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


P, O = ProcessState, OperationState  # noqa: E741 - only for the tables below

PROCESS_TRANSITIONS: dict[ProcessState, frozenset[ProcessState]] = {
    P.PENDING: frozenset({P.QUEUED, P.CANCELLED}),
    P.QUEUED: frozenset({P.PROCESSING, P.CANCELLED}),
    P.PROCESSING: frozenset({P.COMPLETED, P.FAILED, P.CANCELLED}),
    P.COMPLETED: frozenset({P.DELETED}),
    P.FAILED: frozenset({P.QUEUED, P.DELETED}),
    P.CANCELLED: frozenset({P.DELETED}),
    P.DELETED: frozenset(),
}

OPERATION_TRANSITIONS: dict[OperationState, frozenset[OperationState]] = {
    O.PENDING: frozenset({O.QUEUED, O.CANCELLED, O.SKIPPED}),
    O.QUEUED: frozenset({O.QUEUED, O.RUNNING, O.FAILED, O.CANCELLED}),
    O.RUNNING: frozenset({O.QUEUED, O.RETRYING, O.SUCCEEDED, O.FAILED, O.CANCELLED}),
    O.RETRYING: frozenset({O.QUEUED, O.CANCELLED}),
    O.SUCCEEDED: frozenset({O.PENDING}),
    O.FAILED: frozenset({O.PENDING}),
    O.CANCELLED: frozenset({O.PENDING}),
    O.SKIPPED: frozenset({O.PENDING}),
}

TERMINAL = frozenset({P.COMPLETED, P.FAILED, P.CANCELLED, P.DELETED})
OPERATION_TERMINAL = frozenset({O.SUCCEEDED, O.FAILED, O.CANCELLED, O.SKIPPED})
OPERATION_WITH_WORKER = frozenset({O.QUEUED, O.RUNNING})


class InvalidTransitionError(Exception):
    """A history says something that cannot happen: a bug, or a log that was tampered with."""


def process_state(current: ProcessState, following: ProcessState) -> ProcessState:
    """`following`, if the table lets an object go there; InvalidTransitionError otherwise."""
    if following not in PROCESS_TRANSITIONS[current]:
        raise InvalidTransitionError(f"an object cannot go from {current} to {following}")
    return following


def operation_state(current: OperationState, following: OperationState) -> OperationState:
    """`following`, if the table lets an operation go there; InvalidTransitionError otherwise."""
    if following not in OPERATION_TRANSITIONS[current]:
        raise InvalidTransitionError(f"an operation cannot go from {current} to {following}")
    return following


TransitionCallback = Callable[[str, ProcessState, ProcessState], None]


class TransitionCallbacks:
    """Watchers of object transitions, for metrics and webhooks; never for state."""

    def __init__(self) -> None:
        self._callbacks: list[TransitionCallback] = []

    def register(self, callback: TransitionCallback) -> TransitionCallback:
        """Call `callback(object_id, before, after)` after each transition; usable as a decorator."""
        self._callbacks.append(callback)
        return callback

    def notify(self, object_id: str, before: ProcessState, after: ProcessState) -> None:
        """Tell the watchers, unless nothing changed."""
        if before is not after:
            for callback in self._callbacks:
                callback(object_id, before, after)
