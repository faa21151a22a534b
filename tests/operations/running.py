"""Run operations on bytes, and read back what they left; no server, no mocks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from objproc.operations import InputFile, OperationError, OperationFactory
from objproc.operations.harness import HarnessResult, describe, run_operation

CHAIN = ("validate", "transform", "enrich", "analyze", "export")

OperationFactory.load()


@dataclass(frozen=True)
class Run:
    """What a part of the chain left behind."""

    results: Mapping[str, HarnessResult]

    def path(self, name: str) -> Path:
        return next(r.artifacts[name].path for r in self.results.values() if name in r.artifacts)

    def document(self, name: str) -> dict[str, Any]:
        return json.loads(self.path(name).read_text("utf-8"))

    @property
    def verdict(self) -> dict[str, Any]:
        return self.document("validation.json")

    @property
    def types(self) -> dict[str, str]:
        return {column["name"]: column["type"] for column in self.verdict["columns"]}

    @property
    def rejects(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.path("rejects.csv").read_text("utf-8"), newline="")))

    @property
    def table(self) -> dict[str, list[Any]]:
        return parquet.read_table(self.path("data.parquet")).to_pydict()

    @property
    def issues(self) -> set[str]:
        return {issue["code"] for issue in self.verdict["issues"]}


def run(
    folder: Path,
    content: bytes | str | Path,
    *,
    until: str = "transform",
    name: str = "data.csv",
    media_type: str | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    threads: int = 1,
) -> Run:
    """Run the chain up to and including `until`; `params` by operation."""
    if isinstance(content, Path):
        path = content
    else:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = describe(path, name, media_type)
    inputs: dict[str, InputFile] = {}
    results: dict[str, HarnessResult] = {}
    for operation in CHAIN[: CHAIN.index(until) + 1]:
        results[operation] = run_operation(
            operation,
            source,
            scratch=folder / "scratch",
            params=(params or {}).get(operation),
            inputs=inputs,
            threads=threads,
        )
        inputs.update(results[operation].artifacts)
    verdict = json.loads(results["validate"].artifacts["validation.json"].path.read_text())
    assert verdict["rows"] == verdict["rows_accepted"] + verdict["rows_rejected"]
    if "transform" in results:
        assert results["transform"].summary["rows"] == verdict["rows_accepted"]
    return Run(results)


def refusal(folder: Path, content: bytes | str, **options: Any) -> OperationError:
    """The error validate ends with."""
    with pytest.raises(OperationError) as caught:
        run(folder, content, until="validate", **options)
    assert not caught.value.is_retryable
    assert str(folder) not in caught.value.message
    return caught.value


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """`rows` as CSV, written by Python's own writer."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
