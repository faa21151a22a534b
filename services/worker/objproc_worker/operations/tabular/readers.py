"""From a layout to its reader: one way in for every format."""

from __future__ import annotations

from pathlib import Path

from objproc_worker.operations.tabular.csv_reader import CsvReader
from objproc_worker.operations.tabular.json_reader import JsonReader, NdjsonReader
from objproc_worker.operations.tabular.layout import Layout
from objproc_worker.operations.tabular.parquet_reader import ParquetReader
from objproc_worker.operations.tabular.reading import Flaws, TableReader


def open_reader(layout: Layout, path: Path, flaws_max: int = 0) -> TableReader:
    """The reader for `layout`; at most `flaws_max` malformed rows are listed, all are counted."""
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
