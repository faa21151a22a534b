"""JSON artifacts: the same value is always the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from objproc.operations import InputFile, OperationError

SIGNIFICANT_DIGITS = 12


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Sorted keys, two spaces, a final newline."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    path.write_bytes(orjson.dumps(document, option=options))


def read_document(inputs: Mapping[str, InputFile], name: str) -> dict[str, Any]:
    """The artifact `name` of an earlier operation. OperationError `missing_input` without it."""
    document: dict[str, Any] = orjson.loads(required(inputs, name).path.read_bytes())
    return document


def required(inputs: Mapping[str, InputFile], name: str) -> InputFile:
    """The input called `name`. OperationError `missing_input` without it."""
    if name not in inputs:
        raise OperationError("missing_input", f"The artifact {name} of an earlier operation is missing.")
    return inputs[name]


def rounded(value: float | None) -> float | None:
    """`value` at SIGNIFICANT_DIGITS; None for what JSON cannot say."""
    if value is None or not math.isfinite(value):
        return None
    result = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return result + 0.0  # no negative zero
