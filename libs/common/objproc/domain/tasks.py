"""Tasks: one attempt of one operation, addressed to a worker. Derived from state, so they can be made anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from objproc.domain.content import Artifact, Content
from objproc.domain.events import Event, OperationQueued
from objproc.domain.processing_object import OperationRun, ProcessingObject
from objproc.domain.state_machine import OPERATION_WITH_WORKER, OperationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All a worker needs to run one attempt."""

    object_id: str
    tenant: str
    identifier: str
    operation: str
    attempt: int
    version: str
    params: Mapping[str, Any]
    deadline_ms: int
    content: Content
    inputs: tuple[Artifact, ...]
    """Artifacts of every operation before this one in the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """Where the task of an attempt stands: pool and entry id, both known from state alone."""

    pool: str
    entry_id: str
    object_id: str
    operation: str
    attempt: int


def entry_of(current: ProcessingObject, run: OperationRun) -> TaskEntry:
    """The entry of the run's newest task: named by the commit that queued it and its place in the plan."""
    index = list(current.runs).index(run.planned.type)
    return TaskEntry(
        pool=run.planned.pool,
        entry_id=f"{run.queued_seq}-{index}",
        object_id=current.object_id,
        operation=run.planned.type,
        attempt=run.attempt,
    )


def task_of(current: ProcessingObject, run: OperationRun) -> Task:
    """The task of the run's newest attempt."""
    planned = run.planned
    return Task(
        object_id=current.object_id,
        tenant=current.tenant,
        identifier=current.identifier,
        operation=planned.type,
        attempt=run.attempt,
        version=planned.version,
        params=planned.params,
        deadline_ms=planned.deadline_ms,
        content=current.content,
        inputs=tuple(artifact for name in ancestors(current, run) for artifact in current.runs[name].artifacts),
    )


def ancestors(current: ProcessingObject, run: OperationRun) -> list[str]:
    """Names of all operations that `run` depends on, parents first."""
    found: set[str] = set()
    open_names = list(run.planned.requires)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names.extend(current.runs[name].planned.requires)
    return [name for name in current.runs if name in found]


def tasks_of(current: ProcessingObject, events: Iterable[Event]) -> Iterator[tuple[TaskEntry, Task]]:
    """The tasks that `events`, just folded into `current`, call for; in the order of the plan."""
    queued = {event.operation for event in events if isinstance(event, OperationQueued)}
    for name in [name for name in current.runs if name in queued] if len(queued) > 1 else queued:
        run = current.runs[name]
        yield entry_of(current, run), task_of(current, run)


def outstanding(current: ProcessingObject) -> list[TaskEntry]:
    """Tasks of the object that stand in a stream or are with a worker."""
    return [entry_of(current, run) for run in current.runs.values() if run.state in OPERATION_WITH_WORKER]


def wake_at(current: ProcessingObject) -> datetime | None:
    """When the object wants `TimeReached` next; None where only inputs move it."""
    if current.is_terminal:
        return None
    times = [run.retry_at for run in current.runs.values() if run.retry_at is not None]
    if current.not_before and all(run.state is OperationState.PENDING for run in current.runs.values()):
        times.append(current.not_before)
    return min(times, default=None)
