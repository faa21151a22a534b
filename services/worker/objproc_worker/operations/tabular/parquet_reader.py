"""Parquet: values come typed; each Arrow type has one canonical column type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from objproc.operations import OperationError
from objproc_worker.operations.tabular.cells import Batch, Cells, TypedCells, normalise_text
from objproc_worker.operations.tabular.column_types import ARROW_TYPES, ColumnType
from objproc_worker.operations.tabular.layout import Column, Layout, unique_names
from objproc_worker.operations.tabular.limits import BATCH_ROWS, COLUMNS_MAX
from objproc_worker.operations.tabular.reading import Flaws, RawRow

BUFFER_BYTES = 1 << 20
"""Column chunks are streamed, because other writers make row groups larger than the memory of a run."""


def canonical_type(kind: pa.DataType) -> ColumnType:
    """Unsigned 64-bit integers, times and bytes become text, because no numeric type holds all of them."""
    types = pa.types
    if types.is_dictionary(kind):
        return canonical_type(kind.value_type)
    if types.is_integer(kind):
        return ColumnType.TEXT if types.is_uint64(kind) else ColumnType.INTEGER
    if types.is_floating(kind) or types.is_decimal(kind):
        return ColumnType.NUMBER
    if types.is_boolean(kind):
        return ColumnType.BOOLEAN
    if types.is_date(kind):
        return ColumnType.DATE
    if types.is_timestamp(kind):
        return ColumnType.TIMESTAMP_UTC if kind.tz else ColumnType.TIMESTAMP
    return ColumnType.JSON if types.is_nested(kind) else ColumnType.TEXT


def canonical_values(array: pa.Array, null_values: pa.Array) -> pa.Array:
    """Values of the canonical type. NaN and infinities are nulls; times finer than a microsecond are cut."""
    types = pa.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = canonical_type(array.type)
    if kind is ColumnType.NUMBER:
        values = array.cast(pa.float64())
        return pc.if_else(pc.fill_null(pc.is_finite(values), False), values, pa.scalar(None, pa.float64()))
    if kind is ColumnType.JSON:
        texts = [None if value is None else _json(value) for value in array.to_pylist()]
        return pa.array(texts, pa.string())
    if kind is ColumnType.TEXT:
        return normalise_text(_as_text(array), null_values)
    return array.cast(ARROW_TYPES[kind], safe=False)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else float(value) if isinstance(value, Decimal) else str(value)


def _as_text(array: pa.Array) -> pa.Array:
    types = pa.types
    kind = array.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_uint64(kind) or types.is_null(kind):
        return array.cast(pa.string())
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return pa.array([None if value is None else value.hex() for value in array.to_pylist()], pa.string())
    return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


class ParquetReader:
    """Every row is well-formed, or the file is refused."""

    def __init__(self, layout: Layout, path: Path, flaws: Flaws) -> None:
        self.layout = layout
        self.path = path
        self.flaws = flaws
        self._nulls = pa.array(layout.null_values, pa.string())

    def columns(self) -> list[Column]:
        """The columns by the file's schema. OperationError `malformed_parquet`."""
        try:
            schema = parquet.read_schema(self.path)
        except (pa.ArrowException, OSError) as error:
            raise malformed(error) from None
        if not 0 < len(schema) <= COLUMNS_MAX:
            raise OperationError("too_many_columns", f"{len(schema)} columns; 1 to {COLUMNS_MAX} can be read.")
        names = unique_names(schema.names)
        return [
            Column(name=name, source_name=field.name, type=canonical_type(field.type))
            for name, field in zip(names, schema, strict=True)
        ]

    def batches(self) -> Iterator[Batch]:
        following = 1
        try:
            with parquet.ParquetFile(self.path, buffer_size=BUFFER_BYTES, page_checksum_verification=True) as file:
                share = self.path.stat().st_size / max(file.metadata.num_rows, 1)
                for chunk in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                    cells: list[Cells] = [TypedCells(canonical_values(column, self._nulls)) for column in chunk.columns]
                    numbers = range(following, following + chunk.num_rows)
                    yield Batch(numbers=numbers, columns=cells, bytes_read=int(share * chunk.num_rows))
                    following += chunk.num_rows
        except (pa.ArrowException, OSError) as error:
            raise malformed(error) from None

    def recall(self, rows: Sequence[int]) -> Iterator[RawRow]:
        assert not rows, "no row of a Parquet file is ever rejected"
        return iter(())


def malformed(error: Exception) -> OperationError:
    """Arrow's words without paths: they may hold where the worker keeps its files."""
    text = str(error)
    if "magic bytes" in text or "footer" in text.lower() or "smaller than the minimum" in text:
        reason = "its footer is missing, so it is truncated or no Parquet file"
    else:
        reason = "its metadata or a page of it cannot be decoded"
    return OperationError("malformed_parquet", f"The Parquet file is damaged: {reason}.")
