"""A seeded sample of rows for what would not fit into memory exactly."""

from __future__ import annotations

import random
from bisect import bisect_left
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from objproc_worker.operations.tabular.moments import Groups


def write_sample(groups: Groups, path: Path, *, rows: int, sample_rows: int, seed: int) -> None:
    """`sample_rows` of the `rows`, each equally likely, in row order; the same ones for the same seed."""
    chosen = sorted(random.Random(seed).sample(range(rows), sample_rows))
    start = 0
    writer: parquet.ParquetWriter | None = None
    for table in groups():
        low, high = bisect_left(chosen, start), bisect_left(chosen, start + table.num_rows)
        part = table.take(pa.array([row - start for row in chosen[low:high]], pa.int64()))
        if writer is None:
            writer = parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(part)
        start += table.num_rows
    if writer is not None:
        writer.close()
