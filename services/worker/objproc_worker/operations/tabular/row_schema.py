"""JSON Schema (2020-12) of one row as the NDJSON export writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.logical_types import LogicalType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMATS = {
    LogicalType.EMAIL: "email",
    LogicalType.URL: "uri",
    LogicalType.UUID: "uuid",
    LogicalType.IPV4: "ipv4",
    LogicalType.IPV6: "ipv6",
}
TYPES: dict[ColumnType, dict[str, str]] = {
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.NUMBER: {"type": "number"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATE: {"type": "string", "format": "date"},
    ColumnType.TIMESTAMP: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$"},
    ColumnType.TIMESTAMP_UTC: {"type": "string", "format": "date-time"},
    ColumnType.JSON: {},
    ColumnType.TEXT: {"type": "string"},
}


def column_schema(
    kind: ColumnType, *, is_nullable: bool, only: LogicalType | None, lengths: tuple[int, int] | None
) -> dict[str, Any]:
    """The schema of one value; `only` is the logical type all values have, `lengths` are in characters."""
    schema: dict[str, Any] = dict(TYPES[kind])
    if only in FORMATS:
        schema["format"] = FORMATS[only]
    if lengths is not None:
        schema["minLength"], schema["maxLength"] = lengths
    if is_nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def row_schema(properties: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Every column is present in every row; nothing else is."""
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": dict(properties),
        "required": [name for name, _ in properties],
        "additionalProperties": False,
    }
