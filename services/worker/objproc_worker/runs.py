"""One run of an operation, from its inputs in S3 to its artifacts in S3."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson

from objproc.domain.content import Artifact
from objproc.domain.limits import ARTIFACTS_MAX, SUMMARY_BYTES_MAX
from objproc.domain.tasks import Task
from objproc.errors import TransientError
from objproc.lifecycle import PAUSE_FIRST_S, PAUSE_MAX_S, sleep
from objproc.operations import OperationFactory
from objproc.store.s3 import key_of
from objproc.telemetry import Log
from objproc_worker.cache import Cache
from objproc_worker.sandbox import Sandbox

log = Log("runs")

T = TypeVar("T")


class RunError(Exception):
    """The run ended without a result. `code` "stopped" means that it was told to."""

    def __init__(self, code: str, message: str, *, is_retryable: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_retryable = is_retryable


class UploadPort(Protocol):
    """The bucket, as far as a run needs it."""

    async def put_file(self, key: str, path: Path, media_type: str) -> None:
        """A file, in parts where it is large."""
        ...


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left."""

    artifacts: tuple[Artifact, ...]
    summary: dict[str, Any]


class OperationRunner:
    """Fetches inputs, runs the operation in the sandbox, uploads what it left."""

    def __init__(self, sandbox: Sandbox, cache: Cache, store: UploadPort, folder: Path) -> None:
        self._sandbox = sandbox
        self._cache = cache
        self._store = store
        self._scratch_root = folder / "scratch"
        shutil.rmtree(self._scratch_root, ignore_errors=True)  # what an earlier life left behind
        self._scratch_root.mkdir()

    async def run(
        self, task: Task, stack: AsyncExitStack, stop: asyncio.Event, on_progress: Callable[[float], None]
    ) -> RunResult:
        """The result of the task's operation. RunError otherwise; inputs and scratch live as long as `stack`."""
        try:
            operation = OperationFactory.all()[task.operation]
        except KeyError:
            message = f"this worker does not know the operation {task.operation!r}"
            raise RunError("unknown_operation", message, is_retryable=True) from None
        scratch = Path(tempfile.mkdtemp(dir=self._scratch_root))
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        output = scratch / "output"
        output.mkdir()
        request = {
            "operation": task.operation,
            "object_id": task.object_id,
            "identifier": task.identifier,
            "params": dict(task.params),
            "source": await self._source(task, scratch, stack, stop),
            "inputs": [
                {**described(artifact), "path": str(await self._hold(task, artifact.sha256, stack, stop))}
                for artifact in task.inputs
            ],
            "scratch": str(output),
            "threads": 1,
            "memory_bytes": operation.memory_bytes,
            "deadline_s": task.deadline_ms / 1000,
        }
        outcome = await self._sandbox.run(request, task.deadline_ms / 1000, stop, on_progress)
        if outcome.result is None:
            raise RunError(outcome.code, outcome.message, is_retryable=outcome.is_retryable)
        return await self._keep(task, outcome.result, output, stop)

    async def _source(self, task: Task, scratch: Path, stack: AsyncExitStack, stop: asyncio.Event) -> dict[str, Any]:
        content = task.content
        item = {
            "name": content.name,
            "media_type": content.media_type,
            "size": content.size,
            "sha256": content.sha256,
        }
        if content.inline is None:
            return {**item, "path": str(await self._hold(task, content.sha256, stack, stop))}
        path = scratch / "source"
        path.write_bytes(content.inline.encode())
        return {**item, "path": str(path)}

    async def _hold(self, task: Task, sha256: str, stack: AsyncExitStack, stop: asyncio.Event) -> Path:
        return await patiently(lambda: stack.enter_async_context(self._cache.hold(task.tenant, sha256)), stop)

    async def _keep(self, task: Task, result: dict[str, Any], output: Path, stop: asyncio.Event) -> RunResult:
        """Digest and upload the artifacts. The child's word is not trusted: paths, kinds and sizes are checked."""
        found, summary = result["artifacts"], result["summary"]
        if len(found) > ARTIFACTS_MAX or len(orjson.dumps(summary)) > SUMMARY_BYTES_MAX:
            limits = f"{ARTIFACTS_MAX} artifacts and {SUMMARY_BYTES_MAX} bytes of summary"
            raise RunError("resource_limit", f"the operation left more than {limits}", is_retryable=False)
        artifacts = []
        for item in found:
            path = Path(item["path"])
            if not is_own_file(path, output):
                message = f"artifact {item['name']!r} is not a file in the operation's folder"
                raise RunError("bad_artifact", message, is_retryable=False)
            size, sha256 = await asyncio.to_thread(measured, path)
            artifacts.append(Artifact(name=item["name"], media_type=item["media_type"], size=size, sha256=sha256))
            await patiently(
                lambda path=path, sha256=sha256, item=item: self._store.put_file(  # type: ignore[misc]
                    key_of(task.tenant, sha256), path, item["media_type"]
                ),
                stop,
            )
            self._cache.adopt(task.tenant, sha256, path)
        return RunResult(tuple(artifacts), summary)


async def patiently(step: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
    """The answer of `step`, waiting while the object store is away. RunError "stopped" when told to stop."""
    pause_s = PAUSE_FIRST_S
    while True:
        if stop.is_set():
            raise RunError("stopped", "the run was stopped", is_retryable=True)
        try:
            return await step()
        except TransientError as error:
            log.warning("waiting", reason=str(error))
        await sleep(pause_s, stop)
        pause_s = min(PAUSE_MAX_S, 2 * pause_s)


def described(artifact: Artifact) -> dict[str, Any]:
    """An artifact as the child's input."""
    return {
        "name": artifact.name,
        "media_type": artifact.media_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
    }


def is_own_file(path: Path, folder: Path) -> bool:
    """True for a regular file that really lies in `folder`, not behind a link."""
    try:
        is_regular = stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
    return is_regular and path.resolve().is_relative_to(folder.resolve())


def measured(path: Path) -> tuple[int, str]:
    """Size and digest of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest
