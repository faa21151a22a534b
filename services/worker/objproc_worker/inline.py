"""Operations of microseconds, run in the worker itself: claimed, run and finished by the batch."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
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
BATCH_DEADLINE_S = 60.0
EXIT_HANGS = 70
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
        held = [(each, *decode_task(each.body)) for each in await self._claims.claim(POOL, CLAIM_COUNT, WAIT_MS)]
        if held:
            reports = await self._run_all([task for _, task, _ in held])
            for (claimed, _, origin), report in zip(held, reports, strict=True):
                self._reports.add(claimed, report, origin, is_final=True)
        await self._reports.flush()

    async def _run_all(self, tasks: Sequence[Task]) -> list[TaskSucceeded | TaskFailed]:
        """In a thread, so that heartbeats go on whatever an operation does; one that hangs costs its worker."""
        running = asyncio.get_running_loop().run_in_executor(None, lambda: [self._run(task) for task in tasks])
        done, _ = await asyncio.wait({running}, timeout=BATCH_DEADLINE_S)
        if not done:
            log.error("inline_operation_hangs", operations=sorted({task.operation for task in tasks}))
            os._exit(EXIT_HANGS)  # a thread cannot be stopped; the tasks are taken over, and poison is found out
        return running.result()

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
