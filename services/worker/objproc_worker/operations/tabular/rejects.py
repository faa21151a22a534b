"""Second pass: which rows hold a value that does not fit its column, and the list of all rejects."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from objproc_worker.operations.tabular.cells import Batch
from objproc_worker.operations.tabular.column_types import ERROR_CODES
from objproc_worker.operations.tabular.layout import Column, Layout
from objproc_worker.operations.tabular.reading import Flaw, Flaws, RawRow, TableReader

HEADER = ("row", "line", "column", "error", "raw")


def bad_masks(batch: Batch, columns: tuple[Column, ...]) -> dict[int, pa.Array]:
    """By column position: which cells do not fit. Columns without any bad cell are left out."""
    return {
        position: cells.bad(column)
        for position, (column, cells) in enumerate(zip(columns, batch.columns, strict=True))
        if column.bad
    }


def accept(batch: Batch, columns: tuple[Column, ...]) -> list[pa.Array]:
    """The values of the accepted rows of `batch`, one array per column."""
    masks = bad_masks(batch, columns)
    cells = batch.columns
    if masks:
        keep = pc.invert(reduce(pc.or_, masks.values()))
        cells = [cell.filter(keep) for cell in cells]
    return [cell.values(column) for column, cell in zip(columns, cells, strict=True)]


def find_bad_cells(
    reader: TableReader, layout: Layout, flaws_max: int, report: Callable[[int], None]
) -> tuple[Flaws, Layout]:
    """The flaws of well-formed rows, and the layout with nulls counted over accepted rows only."""
    flaws = Flaws(flaws_max)
    if not any(column.bad for column in layout.columns):
        return flaws, layout
    nulls = [column.nulls for column in layout.columns]
    bytes_read = 0
    for batch in reader.batches():
        masks = bad_masks(batch, layout.columns)
        is_bad = reduce(pc.or_, masks.values())
        for index in pc.indices_nonzero(is_bad).to_pylist():
            codes = [
                Flaw(batch.numbers[index], layout.columns[position].name, ERROR_CODES[layout.columns[position].type])
                for position, mask in masks.items()
                if mask[index].as_py()
            ]
            flaws.add_row(codes)
        for position, (column, cells) in enumerate(zip(layout.columns, batch.columns, strict=True)):
            nulls[position] -= cells.filter(is_bad).nulls(column)
        bytes_read += batch.bytes_read
        report(bytes_read)
    columns = (replace(column, nulls=count) for column, count in zip(layout.columns, nulls, strict=True))
    return flaws, layout.with_columns(columns)


def write_rejects(path: Path, reader: TableReader, flaws: list[Flaw]) -> None:
    """One line per flaw: row, line, column, error code, raw text of the row; sorted by row."""
    wanted = sorted({flaw.row for flaw in flaws})
    raws = iter(reader.recall(wanted))
    current = RawRow(0, None, "")
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for flaw in flaws:
            while current.row < flaw.row:
                current = next(raws)
            writer.writerow((flaw.row, current.line or "", flaw.column, flaw.code, current.raw))
