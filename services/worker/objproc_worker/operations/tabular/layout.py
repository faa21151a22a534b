"""How to read a source, and what its columns are: the part of validation.json that later operations obey."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.limits import NAME_CHARS_MAX

NULL_VALUES = ("", "NULL", "null", "N/A", "n/a", "#N/A", "\\N")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `nulls` counts accepted rows; `bad` counts cells whose rows were rejected for them."""

    name: str
    """Unique, as in data.parquet."""
    source_name: str | None
    """As the source wrote it; None where the source has no header."""
    type: ColumnType
    decimal_comma: bool = False
    nulls: int = 0
    bad: int = 0
    missing: int = 0
    """Cells such as `NA`: nulls when the column has a type, texts when it has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Enough to read the source again with the same outcome."""

    format: str
    """csv, tsv, json, ndjson or parquet."""
    encoding: str | None = None
    """A Python codec name; None for Parquet."""
    has_invalid_bytes: bool = False
    """UTF-8 with broken sequences somewhere: those rows are rejects."""
    has_nul: bool = False
    delimiter: str | None = None
    quote: str | None = None
    line_end: str | None = None
    has_header: bool | None = None
    unclosed_row: int | None = None
    """The last row, where its quote is never closed."""
    null_values: tuple[str, ...] = NULL_VALUES
    columns: tuple[Column, ...] = field(default=())

    def with_columns(self, columns: Iterable[Column]) -> Layout:
        """The same source with these columns."""
        return replace(self, columns=tuple(columns))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Layout:
        """The layout inside validation.json."""
        values = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        values["null_values"] = tuple(values["null_values"])
        values["columns"] = tuple(
            Column(
                **{name: column[name] for name in Column.__dataclass_fields__ if name != "type"},
                type=ColumnType(column["type"]),
            )
            for column in values["columns"]
        )
        return cls(**values)


def unique_names(sources: Iterable[str]) -> list[str]:
    """Trimmed, non-empty names, unique in any case, because SQL looks names up in any case.

    The third column without a name is `column_3`; a second `name` (or `Name`) is `name_2`.
    """
    trimmed = [" ".join(source.replace("\0", " ").split())[:NAME_CHARS_MAX] for source in sources]
    reserved = {name.casefold() for name in trimmed if name}
    seen: set[str] = set()
    names: list[str] = []
    for position, name in enumerate(trimmed, start=1):
        candidate = name or f"column_{position}"
        if candidate.casefold() in (seen if name else reserved | seen):
            stem, suffix = candidate, 2
            while (candidate := f"{stem}_{suffix}").casefold() in reserved | seen:
                suffix += 1
        seen.add(candidate.casefold())
        names.append(candidate)
    return names
