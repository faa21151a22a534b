"""Operations of microseconds, run in the worker itself: claimed, run and finished by the batch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from objproc.clock import Clock
from objproc.domain.commands import TaskFailed, TaskSucceeded
from objproc.domain.content import Failure
from objproc.domain.tasks import Task
from objproc.operations import InputFile, OperationContext, OperationError, OperationFactory
from objproc.telemetry import Log
from objproc.wire.codec import decode_task
from objproc_worker.claims import Claims
from objproc_worker.reports import Reports

log = Log("inline")

POOL = "inline"
CLAIM_COUNT = 256
WAIT_MS = 1000
NO_FILE = Path("/dev/null")


class InlineWorker:
    """Runs inline operations. They may leave a summary, but neither read content nor leave artifacts."""

    def __init__(self, claims: Claims, reports: Reports, worker: str, clock: Clock) -> None:
        self._claims = claims
        self._reports = reports
        self._worker = worker
        self._clock = clock

    async def step(self) -> None:
        """Claim a batch, run it, report it."""
        for claimed in await self._claims.claim(POOL, CLAIM_COUNT, WAIT_MS):
            task, origin = decode_task(claimed.body)
            self._reports.add(claimed, self._run(task), origin, is_final=True)
        await self._reports.flush()

    def _run(self, task: Task) -> TaskSucceeded | TaskFailed:
        started_at = self._clock.now()
        who: dict[str, Any] = {"object_id": task.object_id, "operation": task.operation, "attempt": task.attempt}
        try:
            summary = dict(execute(task))
        except OperationError as error:
            failure = Failure(code=error.code, message=error.message, operation=task.operation)
            is_retryable = error.is_retryable
        except Exception as error:  # noqa: BLE001 - whatever an operation raises ends only its attempt
            log.error("operation_crashed", operation=task.operation, error=type(error).__name__)
            failure = Failure(code="crashed", message=f"{type(error).__name__} was raised", operation=task.operation)
            is_retryable = True
        else:
            return TaskSucceeded(**who, worker=self._worker, started_at=started_at, summary=summary)
        return TaskFailed(**who, worker=self._worker, started_at=started_at, failure=failure, is_retryable=is_retryable)


def execute(task: Task) -> Any:
    """The summary the operation leaves."""
    operation = OperationFactory.create(task.operation)
    content = task.content
    source = InputFile(
        name=content.name, media_type=content.media_type, size=content.size, sha256=content.sha256, path=NO_FILE
    )
    context: OperationContext[Any] = OperationContext(
        object_id=task.object_id,
        identifier=task.identifier,
        params=operation.Params.model_validate(task.params),
        source=source,
        inputs={},
        scratch=Path(tempfile.gettempdir()),
    )
    return operation.execute(context).summary
