"""Words for tests of the domain: a Story is one object's life; `when` puts an input to it and answers the facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from objproc.domain.commands import (
    CancelObject,
    DeleteObject,
    Input,
    ProcessObject,
    RetryObject,
    TaskFailed,
    TaskHandedBack,
    TaskLost,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TimeReached,
    WorkerLost,
)
from objproc.domain.content import Artifact, Content, Failure, PlannedOperation
from objproc.domain.decide import decide
from objproc.domain.events import Event, OperationQueued, OperationStarted, OperationSucceeded
from objproc.domain.processing_object import Aggregate, OperationRun, ProcessingObject, Stamp, fold
from objproc.domain.state_machine import OperationState, ProcessState

OBJECT = "01980000-0000-7000-8000-000000000001"
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
WORKER = "worker-1"
BROKEN = Failure(code="broken", message="it broke", operation=None)


def content(text: str = "hello", *, is_upload: bool = False) -> Content:
    """A small content; another text is another digest."""
    return Content(
        sha256=text.ljust(64, "0"), size=len(text), media_type="text/plain", name="x", inline=text, is_upload=is_upload
    )


def artifact(name: str) -> Artifact:
    """An artifact whose digest follows from its name."""
    return Artifact(name=name, media_type="text/plain", size=1, sha256=name.ljust(64, "f"))


def dag(requires: Mapping[str, tuple[str, ...]], **more: Any) -> tuple[PlannedOperation, ...]:
    """A plan; parents come first in `requires`."""
    return tuple(PlannedOperation(type=name, requires=parents, **more) for name, parents in requires.items())


def chain(*names: str, **more: Any) -> tuple[PlannedOperation, ...]:
    """A plan in which each operation requires the one before."""
    return dag({name: tuple(names[:place][-1:]) for place, name in enumerate(names)}, **more)


DIAMOND = {"split": (), "left": ("split",), "right": ("split",), "join": ("left", "right")}


def submission(plan: tuple[PlannedOperation, ...], **more: Any) -> ProcessObject:
    """The command that begins a story."""
    values: dict[str, Any] = {
        "object_id": OBJECT,
        "tenant": "default",
        "identifier": "my-object",
        "plan": plan,
        "content": content(),
        "fingerprint": "f",
        "correlation_id": OBJECT,
    }
    return ProcessObject(**values | more)


def started(operation: str, attempt: int = 1, worker: str = WORKER) -> TaskStarted:
    return TaskStarted(object_id=OBJECT, operation=operation, attempt=attempt, worker=worker, at=NOON)


def succeeded(operation: str, attempt: int = 1, *names: str) -> TaskSucceeded:
    return TaskSucceeded(
        object_id=OBJECT,
        operation=operation,
        attempt=attempt,
        worker=WORKER,
        started_at=NOON,
        artifacts=tuple(map(artifact, names)),
    )


def failed(operation: str, attempt: int = 1, *, is_retryable: bool = True) -> TaskFailed:
    return TaskFailed(
        object_id=OBJECT,
        operation=operation,
        attempt=attempt,
        worker=WORKER,
        started_at=NOON,
        failure=BROKEN,
        is_retryable=is_retryable,
    )


def stopped(operation: str, attempt: int = 1) -> TaskStopped:
    return TaskStopped(object_id=OBJECT, operation=operation, attempt=attempt)


def vanished(operation: str, attempt: int = 1) -> TaskLost:
    return TaskLost(object_id=OBJECT, operation=operation, attempt=attempt)


def handed_back(operation: str, attempt: int = 1) -> TaskHandedBack:
    return TaskHandedBack(object_id=OBJECT, operation=operation, attempt=attempt, worker=WORKER)


def lost(operation: str, attempt: int = 1) -> WorkerLost:
    return WorkerLost(object_id=OBJECT, operation=operation, attempt=attempt, worker=WORKER)


def cancel(command_id: str = "cancel-1") -> CancelObject:
    return CancelObject(object_id=OBJECT, command_id=command_id)


def retry(command_id: str = "retry-1", on: Content | None = None) -> RetryObject:
    return RetryObject(object_id=OBJECT, command_id=command_id, content=on)


def delete(command_id: str = "delete-1", *, is_forced: bool = False) -> DeleteObject:
    return DeleteObject(object_id=OBJECT, command_id=command_id, is_forced=is_forced)


TIME = TimeReached(object_id=OBJECT)


# ---- facts that many tests expect ----


def began(operation: str, attempt: int = 1) -> OperationStarted:
    return OperationStarted(operation=operation, attempt=attempt, worker=WORKER, at=NOON)


def queued(operation: str, attempt: int = 1) -> OperationQueued:
    return OperationQueued(operation=operation, attempt=attempt)


def done(operation: str, attempt: int = 1, *names: str) -> OperationSucceeded:
    return OperationSucceeded(operation=operation, attempt=attempt, artifacts=tuple(map(artifact, names)))


class Story:
    """One object's life. Each decision is checked against the fold of its own events."""

    def __init__(self, current: Aggregate | None = None) -> None:
        self.current = current
        self.seq = 0
        self.now = NOON
        self.commits: list[tuple[Stamp, tuple[Event, ...]]] = []

    def when(self, *messages: Input) -> list[Event]:
        """Put inputs to the object, one after the other; the facts that the last one brings about."""
        events: tuple[Event, ...] = ()
        for message in messages:
            stamp = Stamp(self.seq + 1, self.now)
            decision = decide(message, self.current, stamp)
            events = decision.events if decision else ()
            if decision:
                assert decision.after == fold(self.current, message.object_id, decision.events, stamp)
                self.current = decision.after
                self.seq = stamp.seq
                self.commits.append((stamp, decision.events))
        return list(events)

    def later(self, pause: timedelta) -> None:
        """Let time pass."""
        self.now += pause

    @property
    def object(self) -> ProcessingObject:
        assert isinstance(self.current, ProcessingObject)
        return self.current

    @property
    def state(self) -> ProcessState:
        return self.object.state

    @property
    def states(self) -> dict[str, OperationState]:
        return {name: run.state for name, run in self.object.runs.items()}

    def run(self, operation: str) -> OperationRun:
        return self.object.runs[operation]


def story_of(plan: tuple[PlannedOperation, ...], *messages: Input, **more: Any) -> Story:
    """The story of an object that was submitted with `plan`, and what happened to it since."""
    story = Story()
    story.when(submission(plan, **more), *messages)
    return story
