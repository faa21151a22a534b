"""From a layout to its reader: one way in for every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from objproc_worker.operations.tabular.cells import Batch
from objproc_worker.operations.tabular.layout import Layout
from objproc_worker.operations.tabular.limits import RAW_CHARS_MAX


class Flaw(NamedTuple):
    """Why a row is rejected; `column` is empty where the row as a whole is at fault."""

    row: int
    column: str
    code: str


class RawRow(NamedTuple):
    """A row as the source has it; `line` is the 1-based physical line it begins on, where there are lines."""

    row: int
    line: int | None
    raw: str


@dataclass(slots=True)
class Flaws:
    """Exact counts by code; the first `listed_max` flaws themselves."""

    listed_max: int
    listed: list[Flaw] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    """Distinct rejected rows."""

    def add_row(self, flaws: Sequence[Flaw]) -> None:
        """All flaws of one row."""
        self.rows += 1
        for flaw in flaws:
            self.counts[flaw.code] += 1
            if len(self.listed) < self.listed_max:
                self.listed.append(flaw)


class TableReader(Protocol):
    """Reads a source in bounded memory, the same way every time."""

    flaws: Flaws
    """Rows that are not well-formed; complete once `batches` is exhausted."""

    def batches(self) -> Iterator[Batch]:
        """Well-formed rows in source order."""
        ...

    def recall(self, rows: Sequence[int]) -> Iterator[RawRow]:
        """The raw text of `rows`, ascending."""
        ...


def open_reader(layout: Layout, path: Path, flaws_max: int = 0) -> TableReader:
    """The reader for `layout`; at most `flaws_max` malformed rows are listed, all are counted."""
    # Imported here, because the readers need the words of this module.
    from objproc_worker.operations.tabular.csv_reader import CsvReader
    from objproc_worker.operations.tabular.json_reader import JsonReader, NdjsonReader
    from objproc_worker.operations.tabular.parquet_reader import ParquetReader

    flaws = Flaws(flaws_max)
    match layout.format:
        case "csv" | "tsv":
            return CsvReader(layout, path, flaws)
        case "ndjson":
            return NdjsonReader(layout, path, flaws)
        case "json":
            return JsonReader(layout, path, flaws)
        case _:
            return ParquetReader(layout, path, flaws)


def cut_raw(raw: str) -> str:
    """`raw` without its line end, cut at RAW_CHARS_MAX with an ellipsis."""
    raw = raw.removesuffix("\n").removesuffix("\r")
    return raw if len(raw) <= RAW_CHARS_MAX else raw[:RAW_CHARS_MAX] + "…"
