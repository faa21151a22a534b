"""Exact counts, extremes, sums, deviations and correlations: streamed in row order, one thread.

Sums of doubles depend on the order they are taken in; here it is the order of the rows, so the result
does not depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.layout import Column

CORRELATED_COLUMNS_MAX = 40
SEGMENTS_MAX = 40
INT64_MAX = 2**63 - 1
EXTREMES = {ColumnType.DATE, ColumnType.TIMESTAMP, ColumnType.TIMESTAMP_UTC}

Groups = Callable[[], Iterator[pa.Table]]
"""Starts reading data.parquet anew."""


@dataclass(slots=True)
class Moments:
    """One column: `sum` is exact for integers; `std` is the sample deviation (n - 1)."""

    column: Column
    values: int = 0
    nulls: int = 0
    minimum: Any = None
    maximum: Any = None
    zeros: int = 0
    negatives: int = 0
    sum: float | int = 0
    squares: float = 0.0
    nulls_by_segment: list[int] = field(default_factory=list)

    @property
    def mean(self) -> float | None:
        return self.sum / self.values if self.values and self.column.type.is_numeric else None

    @property
    def std(self) -> float | None:
        if self.values < 2 or not self.column.type.is_numeric:
            return None
        return math.sqrt(max(self.squares, 0.0) / (self.values - 1))

    def add(self, array: pa.Array) -> None:
        self.nulls += array.null_count
        self.values += len(array) - array.null_count
        if not self.column.type.is_numeric and self.column.type not in EXTREMES:
            return
        extremes = pc.min_max(array)
        low, high = extremes["min"].as_py(), extremes["max"].as_py()
        if low is None:
            return
        self.minimum = low if self.minimum is None else min(self.minimum, low)
        self.maximum = high if self.maximum is None else max(self.maximum, high)
        if self.column.type.is_numeric:
            self.sum += _sum(array, max(abs(low), abs(high)))
            self.zeros += pc.sum(pc.equal(array, 0)).as_py() or 0
            self.negatives += pc.sum(pc.less(array, 0)).as_py() or 0


def _sum(array: pa.Array, largest: float) -> float | int:
    if pa.types.is_integer(array.type) and largest * len(array) > INT64_MAX:
        return int(pc.sum(array.cast(pa.decimal128(19, 0))).as_py())
    return pc.sum(array).as_py() or 0


@dataclass(slots=True)
class Pair:
    """Sums over the rows where both columns have a value, both shifted by their means."""

    rows: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0

    def pearson(self) -> float | None:
        """Correlation; None where a column does not vary."""
        if self.rows < 2:
            return None
        spread_x = self.xx - self.x * self.x / self.rows
        spread_y = self.yy - self.y * self.y / self.rows
        # Below the rounding noise of the sums there is no spread to speak of.
        if spread_x <= 1e-14 * self.xx or spread_y <= 1e-14 * self.yy or not spread_x or not spread_y:
            return None
        together = self.xy - self.x * self.y / self.rows
        return max(-1.0, min(1.0, together / math.sqrt(spread_x) / math.sqrt(spread_y)))


def take_moments(groups: Groups, columns: Sequence[Column], rows: int) -> list[Moments]:
    """First reading: everything that needs no mean."""
    segments = min(SEGMENTS_MAX, rows)
    edges = [rows * index // segments for index in range(segments + 1)] if segments else [0]
    moments = [Moments(column, nulls_by_segment=[0] * segments) for column in columns]
    start = 0
    for table in groups():
        for moment, chunked in zip(moments, table.columns, strict=True):
            array = one_array(chunked)
            moment.add(array)
            if array.null_count:
                _add_segments(moment.nulls_by_segment, array, start, edges)
        start += table.num_rows
    return moments


def _add_segments(nulls: list[int], array: pa.Array, start: int, edges: Sequence[int]) -> None:
    for index in range(len(nulls)):
        low, high = max(edges[index], start), min(edges[index + 1], start + len(array))
        if low < high:
            nulls[index] += array.slice(low - start, high - low).null_count


def take_spread(groups: Groups, moments: Sequence[Moments]) -> dict[tuple[int, int], Pair]:
    """Second reading: deviations from the means, and the pairs of the first CORRELATED_COLUMNS_MAX columns."""
    numeric = [index for index, moment in enumerate(moments) if moment.mean is not None]
    paired = numeric[:CORRELATED_COLUMNS_MAX]
    pairs = {pair: Pair() for pair in combinations(paired, 2)}
    for table in groups() if numeric else ():
        shifted = {
            index: pc.subtract(one_array(table.column(index)).cast(pa.float64(), safe=False), moments[index].mean)
            for index in numeric
        }
        squares = {index: pc.multiply(values, values) for index, values in shifted.items()}
        sums = {index: total(values) for index, values in shifted.items()}
        square_sums = {index: total(values) for index, values in squares.items()}
        for index in numeric:
            moments[index].squares += square_sums[index]
        for (left, right), pair in pairs.items():
            x, y = shifted[left], shifted[right]
            products = pc.multiply(x, y)
            pair.rows += len(products) - products.null_count
            pair.xy += total(products)
            pair.x += total(x.filter(pc.is_valid(y))) if y.null_count else sums[left]
            pair.y += total(y.filter(pc.is_valid(x))) if x.null_count else sums[right]
            pair.xx += total(squares[left].filter(pc.is_valid(y))) if y.null_count else square_sums[left]
            pair.yy += total(squares[right].filter(pc.is_valid(x))) if x.null_count else square_sums[right]
    return pairs


def one_array(chunked: pa.ChunkedArray) -> pa.Array:
    """The column of a row group as one array."""
    return chunked.chunk(0) if chunked.num_chunks == 1 else pa.concat_arrays(chunked.chunks)


def total(values: pa.Array) -> float:
    """The sum of a double array; 0 where it is empty."""
    return float(pc.sum(values).as_py() or 0.0)
