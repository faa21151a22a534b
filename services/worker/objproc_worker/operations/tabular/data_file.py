"""data.parquet: written in row groups that depend on the content alone, read a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
from pyarrow import parquet

from objproc_worker.operations.tabular.column_types import ARROW_TYPES
from objproc_worker.operations.tabular.layout import Column
from objproc_worker.operations.tabular.limits import ROW_GROUP_BYTES, ROW_GROUP_ROWS


class DataFileWriter:
    """Collects rows and writes a row group whenever one is full. A context manager."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.rows = 0
        self._schema = pa.schema([(column.name, ARROW_TYPES[column.type]) for column in columns])
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd", version="2.6")
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0

    def write(self, arrays: Sequence[pa.Array]) -> None:
        """Append rows given as one array per column."""
        batch = pa.RecordBatch.from_arrays(list(arrays), schema=self._schema)
        if not batch.num_rows:
            return
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def __enter__(self) -> DataFileWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def read_groups(path: Path, names: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The row groups in order, all columns or those called `names`, with contiguous columns."""
    with parquet.ParquetFile(path, memory_map=False) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=list(names) if names else None, use_threads=False)
            yield table.combine_chunks()
