"""What every reader of a table has in common: rows, flaws, and a way back to the raw text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from objproc_worker.operations.tabular.cells import Batch
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


def cut_raw(raw: str) -> str:
    """`raw` without its line end, cut at RAW_CHARS_MAX with an ellipsis."""
    raw = raw.removesuffix("\n").removesuffix("\r")
    return raw if len(raw) <= RAW_CHARS_MAX else raw[:RAW_CHARS_MAX] + "…"
