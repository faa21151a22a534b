"""Answers made of aggregates: the shapes that clients rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from objproc.domain.content import Content, Failure
from objproc.domain.processing_object import OperationRun, ProcessingObject
from objproc.domain.state_machine import OperationState
from objproc_api.paths import artifact_href, links_of

Running = Mapping[str, tuple[int, float]]
"""By operation: attempt and percent, as its worker last told."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it is known now. `is_pending` where its command is durable but not projected yet."""

    current: ProcessingObject
    running: Running = field(default_factory=dict)
    is_pending: bool = False


def percent_of(run: OperationRun, running: Running) -> float:
    """How far one operation is; what an older attempt told counts for nothing."""
    if run.is_terminal:
        return 100.0
    attempt, percent = running.get(run.planned.type, (0, 0.0))
    return round(percent, 1) if run.state is OperationState.RUNNING and attempt == run.attempt else 0.0


def failure_view(failure: Failure | None) -> dict[str, Any] | None:
    """An error for clients."""
    return None if failure is None else {"code": failure.code, "message": failure.message}


def operation_view(run: OperationRun, percent: float) -> dict[str, Any]:
    """One operation of an object."""
    return {
        "operation": run.planned.type,
        "state": run.state.value,
        "attempt": run.attempt,
        "progress": percent,
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "retry_at": run.retry_at,
        "worker": run.worker,
        "error": failure_view(run.failure),
        "cached": False,
        "summary": run.summary,
    }


def progress_view(found: Found) -> dict[str, Any]:
    """How far an object is."""
    current = found.current
    percents = [percent_of(run, found.running) for run in current.runs.values()]
    failure = failure_view(current.failure)
    if failure is not None and current.failure is not None:
        failure["operation"] = current.failure.operation
    return {
        "object_id": current.object_id,
        "identifier": current.identifier,
        "state": current.state.value,
        "version": current.version,
        "progress": round(sum(percents) / len(percents), 1),
        "operations": [operation_view(run, at) for run, at in zip(current.runs.values(), percents, strict=True)],
        "error": failure,
        "submitted_at": current.submitted_at,
        "updated_at": current.updated_at,
        "finished_at": current.finished_at,
    }


def source_view(content: Content) -> dict[str, Any]:
    """What an object is about."""
    return {
        "sha256": content.sha256,
        "size": content.size,
        "media_type": content.media_type,
        "name": content.name,
        "is_upload": content.is_upload,
    }


def artifacts_view(current: ProcessingObject) -> list[dict[str, Any]]:
    """What the operations left, in the order of the plan."""
    return [
        {
            "name": artifact.name,
            "operation": run.planned.type,
            "media_type": artifact.media_type,
            "size": artifact.size,
            "sha256": artifact.sha256,
            "href": artifact_href(current.object_id, artifact.name),
        }
        for run in current.runs.values()
        for artifact in run.artifacts
    ]


def object_view(found: Found) -> dict[str, Any]:
    """Everything of an object."""
    current = found.current
    return progress_view(found) | {
        "metadata": current.metadata,
        "tags": current.tags,
        "priority": current.priority,
        "not_before": current.not_before,
        "correlation_id": current.correlation_id,
        "source": source_view(current.content),
        "artifacts": artifacts_view(current),
        "links": links_of(current.object_id),
    }


def submission_view(current: ProcessingObject, position: str) -> dict[str, Any]:
    """The answer to a submission."""
    return {
        "object_id": current.object_id,
        "identifier": current.identifier,
        "state": current.state.value,
        "operations": list(current.runs),
        "position": position,
        "links": links_of(current.object_id),
    }
