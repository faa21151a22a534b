"""First pass: what each column holds, counted over all well-formed rows, and so its type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from objproc_worker.operations.tabular.categories import Category
from objproc_worker.operations.tabular.cells import Batch
from objproc_worker.operations.tabular.column_types import accepted_categories, decide_type
from objproc_worker.operations.tabular.layout import Column
from objproc_worker.operations.tabular.reading import TableReader


@dataclass(slots=True)
class Survey:
    """Counts of the non-null values of each column by category."""

    rows: int = 0
    counts: list[Counter[Category]] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Count the cells of `batch`; columns may be more than in earlier batches."""
        self.rows += batch.rows
        while len(self.counts) < len(batch.columns):
            self.counts.append(Counter())
        for counts, cells in zip(self.counts, batch.columns, strict=True):
            favourite = max(counts, key=counts.__getitem__) if counts else None
            counts.update(cells.count(favourite))


def take_survey(reader: TableReader, report: Callable[[int], None]) -> Survey:
    """Read everything once; `report` hears of the bytes read so far."""
    survey = Survey()
    bytes_read = 0
    for batch in reader.batches():
        survey.add(batch)
        bytes_read += batch.bytes_read
        report(bytes_read)
    return survey


def typed_column(column: Column, counts: Counter[Category], rows: int, majority: float) -> Column:
    """`column` with the type its counts speak for, and how many cells are null, missing or bad."""
    kind, decimal_comma = decide_type(counts, majority)
    filled = sum(counts.values())
    missing = counts[Category.MISSING]
    accepted = accepted_categories(kind, decimal_comma)
    if accepted is None:
        return replace(column, type=kind, nulls=rows - filled, missing=missing)
    good = sum(counts[category] for category in accepted)
    return replace(
        column,
        type=kind,
        decimal_comma=decimal_comma,
        nulls=rows - filled + missing,
        bad=filled - missing - good,
        missing=missing,
    )
