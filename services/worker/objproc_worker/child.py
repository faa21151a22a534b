"""What a child process does: run one operation on local files, within limits, and tell its result.

It has no credentials and no network; all it knows comes in the request, all it leaves lies in its scratch folder.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from objproc.operations import InputFile, OperationContext, OperationError, OperationFactory, OperationResult

OPEN_FILES_MAX = 512
NICENESS = 5
FILE_BYTES_MAX = 64 << 30
ADDRESS_SLACK_BYTES = 2 << 30  # libraries reserve address space that they never touch
REPORT_EVERY_S = 0.25

Request = dict[str, Any]


def run(request: Request, pipe: int) -> None:
    """Run the request's operation and write its result to `pipe`; the caller ends the process."""
    limit(request["memory_bytes"], request["deadline_s"])
    os.environ.clear()
    os.chdir(request["scratch"])
    try:
        result = execute(request, pipe)
        answer: dict[str, Any] = {
            "artifacts": [
                {"name": artifact.name, "media_type": artifact.media_type, "path": str(artifact.path)}
                for artifact in result.artifacts
            ],
            "summary": dict(result.summary),
        }
    except OperationError as error:
        answer = {"error": {"code": error.code, "message": error.message, "is_retryable": error.is_retryable}}
    except ValidationError as error:
        answer = refusal("invalid_params", f"{error.error_count()} parameters are wrong")
    except MemoryError:
        answer = refusal("resource_limit", f"the operation needs more than {request['memory_bytes']} bytes of memory")
    except Exception as error:  # noqa: BLE001 - whatever an operation raises ends only its attempt
        # the text of an unknown error may quote content, so only its kind goes into the event
        traceback.print_exc(file=sys.stderr)
        answer = {"error": {"code": "crashed", "message": f"{type(error).__name__} was raised", "is_retryable": True}}
    write(pipe, answer)


def execute(request: Request, pipe: int) -> OperationResult:
    """The operation's own answer."""
    operation = OperationFactory.create(request["operation"])
    context: OperationContext[Any] = OperationContext(
        object_id=request["object_id"],
        identifier=request["identifier"],
        params=operation.Params.model_validate(request["params"]),
        source=input_file(request["source"]),
        inputs={item["name"]: input_file(item) for item in request["inputs"]},
        scratch=Path(request["scratch"]),
        threads=request["threads"],
        memory_bytes=request["memory_bytes"],
        report=Reporter(pipe),
    )
    return operation.execute(context)


def input_file(item: dict[str, Any]) -> InputFile:
    """An input as the operation sees it."""
    return InputFile(
        name=item["name"],
        media_type=item["media_type"],
        size=item["size"],
        sha256=item["sha256"],
        path=Path(item["path"]),
    )


def refusal(code: str, message: str) -> dict[str, Any]:
    """An error that another attempt would not mend."""
    return {"error": {"code": code, "message": message, "is_retryable": False}}


def limit(memory_bytes: int, deadline_s: float) -> None:
    """Own process group, behind the worker in the queue for the CPU; limits on memory, time, files and core dumps."""
    os.setsid()
    os.nice(NICENESS)
    address_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for what, value in (
        (resource.RLIMIT_AS, address_bytes + memory_bytes + ADDRESS_SLACK_BYTES),
        (resource.RLIMIT_CPU, int(deadline_s) * 4 + 10),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX),
        (resource.RLIMIT_FSIZE, FILE_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (allowed, allowed))


class Reporter:
    """Tells progress to the worker, thinned out."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._told_at = 0.0

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        if now - self._told_at >= REPORT_EVERY_S:
            self._told_at = now
            write(self._pipe, {"progress": max(0.0, min(1.0, fraction))})


def write(pipe: int, line: dict[str, Any]) -> None:
    """One line of JSON, whole."""
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(pipe, data) :]
