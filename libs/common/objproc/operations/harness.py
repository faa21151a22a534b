"""Run one operation, or a chain of them, on one file with no server: for tests and for trying things out.

result = run_operation("validate", Path("orders.csv"), scratch=tmp_path)
result.artifacts["validation.json"].path.read_text()
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objproc.operations.factory import OperationFactory
from objproc.operations.operation import InputFile, OperationContext


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessResult:
    """Summary and artifacts (by name) of a run in the harness."""

    summary: Mapping[str, Any]
    artifacts: Mapping[str, InputFile]


def describe(path: Path, name: str | None = None, media_type: str | None = None) -> InputFile:
    """`path` as an operation's input: sized and digested; the media type guessed from the name."""
    name = name or path.name
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    guessed = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return InputFile(name=name, media_type=guessed, size=path.stat().st_size, sha256=digest, path=path)


def run_operation(
    name: str,
    source: Path | InputFile,
    *,
    scratch: Path,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, InputFile] | None = None,
    threads: int = 1,
) -> HarnessResult:
    """Run the operation `name` on `source`; OperationError is the operation's own answer."""
    OperationFactory.load()
    operation = OperationFactory.create(name)
    folder = scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    context = OperationContext(
        object_id="00000000-0000-7000-8000-000000000000",
        identifier="harness",
        params=operation.Params.model_validate(dict(params or {})),
        source=source if isinstance(source, InputFile) else describe(source),
        inputs=dict(inputs or {}),
        scratch=folder,
        threads=threads,
    )
    result = operation.execute(context)
    artifacts = {a.name: describe(a.path, a.name, a.media_type) for a in result.artifacts}
    return HarnessResult(summary=result.summary, artifacts=artifacts)


def run_chain(names: Sequence[str], source: Path, *, scratch: Path, **options: Any) -> dict[str, HarnessResult]:
    """Run `names` in order, each with the artifacts of all before it; results by operation name."""
    inputs: dict[str, InputFile] = {}
    results: dict[str, HarnessResult] = {}
    for name in names:
        results[name] = run_operation(name, source, scratch=scratch, inputs=inputs, **options)
        inputs.update(results[name].artifacts)
    return results
