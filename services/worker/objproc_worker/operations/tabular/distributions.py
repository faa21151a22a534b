"""Distinct values, quantiles, histograms and top values: all from one frequency table per column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.database import quoted
from objproc_worker.operations.tabular.documents import rounded
from objproc_worker.operations.tabular.layout import Column

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
VALUE_CHARS_MAX = 100
SCALARS = {
    # Days and microseconds since 1970: numbers, so that they have quantiles and bins.
    ColumnType.DATE: "{} - DATE '1970-01-01'",
    ColumnType.TIMESTAMP: "epoch_us({})",
    ColumnType.TIMESTAMP_UTC: "epoch_us({})",
}
INTEGRAL = {ColumnType.INTEGER, *SCALARS}
TUKEY = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How much to show."""

    top_values: int
    bins: int


class Frequencies:
    """The frequency table of one column of `relation`; a newer one replaces it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation: str, column: Column) -> None:
        self._connection = connection
        self.column = column
        value = SCALARS.get(column.type, "{}").format(quoted(column.name))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE frequencies AS SELECT {value} AS v, count(*) AS n "  # noqa: S608 - identifiers are quoted
            f"FROM {relation} WHERE {quoted(column.name)} IS NOT NULL GROUP BY ALL"
        )
        self.distinct, self.values = self._row("SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM frequencies")

    def _row(self, query: str, values: Sequence[float] = ()) -> tuple[Any, ...]:
        # Bound, not written out: DuckDB reads a written 0.1 as a DECIMAL.
        row = self._connection.execute(query, list(values)).fetchone()
        assert row is not None
        return row

    def top(self, limit: int) -> list[dict[str, Any]]:
        """Most frequent values, ties by value."""
        rows = self._connection.execute("SELECT v, n FROM frequencies ORDER BY n DESC, v LIMIT ?", [limit]).fetchall()
        return [
            {"value": show(self.column.type, value), "count": count, "share": round(count / self.values, 6)}
            for value, count in rows
        ]

    def quantiles(self) -> dict[str, Any]:
        """Linear interpolation between order statistics (Hyndman and Fan's type 7)."""
        positions = [(self.values - 1) * quantile for quantile in QUANTILES]
        ranks = sorted({rank for position in positions for rank in (math.floor(position), math.ceil(position))})
        picks = ", ".join(f"min(v) FILTER (upto > {rank})" for rank in ranks)
        found = dict(
            zip(
                ranks,
                self._row(
                    f"SELECT {picks} FROM (SELECT v, sum(n) OVER (ORDER BY v) AS upto FROM frequencies)"  # noqa: S608 - numbers only
                ),
                strict=True,
            )
        )
        result: dict[str, Any] = {}
        for quantile, position in zip(QUANTILES, positions, strict=True):
            low, high = found[math.floor(position)], found[math.ceil(position)]
            value = low if low == high else low + (high - low) * (position - math.floor(position))
            result[f"p{round(quantile * 100):02d}"] = show(self.column.type, value)
        return result

    def histogram(self, bins: int) -> dict[str, Any] | None:
        """Counts between `edges`; a bin holds its lower edge, the last one both."""
        low, high = self._row("SELECT min(v), max(v) FROM frequencies")
        if low is None:
            return None
        edges = bin_edges(low, high, bins, is_integral=self.column.type in INTEGRAL)
        last = len(edges) - 2
        picks = ", ".join(
            f"coalesce(sum(n) FILTER (v >= ? AND v {'<=' if index == last else '<'} ?), 0)::BIGINT"
            for index in range(last + 1)
        )
        bounds = [bound for pair in pairwise(edges) for bound in pair]
        counts = list(self._row(f"SELECT {picks} FROM frequencies", bounds))  # noqa: S608 - no text of anybody
        return {"edges": [_show_exact(self.column.type, edge) for edge in edges], "counts": counts}

    def outliers(self, low: float, high: float) -> dict[str, Any]:
        """Values beyond Tukey's fences, given the quartiles."""
        fence = TUKEY * (high - low)
        (count,) = self._row(
            "SELECT coalesce(sum(n), 0)::BIGINT FROM frequencies WHERE v < ? OR v > ?", (low - fence, high + fence)
        )
        return {"count": count, "below": low - fence, "above": high + fence}

    def lengths(self) -> dict[str, Any] | None:
        """Characters (code points) per text."""
        low, high, total = self._row(
            "SELECT min(length(v)), max(length(v)), sum(length(v) * n)::BIGINT FROM frequencies"
        )
        return None if low is None else {"min": low, "max": high, "mean": rounded(total / self.values)}


def bin_edges(low: float, high: float, bins: int, *, is_integral: bool) -> list[float]:
    """At most `bins` equal bins from `low` to `high`; whole edges for whole values."""
    if is_integral:
        width = max(1, math.ceil((high - low + 1) / bins))
        count = max(1, math.ceil((high - low + 1) / width))
        return [low + index * width for index in range(count + 1)]
    if low == high:
        return [low, high]
    # Halves first: high - low could overflow.
    edges = [low + (high / bins - low / bins) * index for index in range(bins)]
    return sorted({*edges, high})


def show(kind: ColumnType, value: Any) -> Any:
    """A value as JSON: times in ISO 8601, long texts cut."""
    match kind:
        case ColumnType.NUMBER | ColumnType.INTEGER:
            return value
        case ColumnType.TEXT | ColumnType.JSON:
            return value if len(value) <= VALUE_CHARS_MAX else value[:VALUE_CHARS_MAX] + "…"
        case ColumnType.BOOLEAN:
            return value
        case _:
            return _show_exact(kind, math.floor(value))


def _show_exact(kind: ColumnType, value: Any) -> Any:
    """Edges are not rounded, so that counting between them again gives the same counts."""
    try:
        match kind:
            case ColumnType.DATE:
                return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
            case ColumnType.TIMESTAMP | ColumnType.TIMESTAMP_UTC:
                moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
                text = moment.replace(tzinfo=None).isoformat()
                return text + "Z" if kind is ColumnType.TIMESTAMP_UTC else text
            case _:
                return value
    except OverflowError:  # the last edge can lie beyond the year 9999
        return None


def describe_distribution(frequencies: Frequencies, settings: Settings, *, is_withheld: bool) -> dict[str, Any]:
    """Everything of one column that comes from its frequencies; values are withheld where personal."""
    kind = frequencies.column.type
    document: dict[str, Any] = {"distinct": frequencies.distinct}
    if kind in {ColumnType.TEXT, ColumnType.JSON}:
        document["lengths"] = frequencies.lengths()
    if is_withheld:
        return {**document, "withheld": "personal data"}
    if kind is not ColumnType.JSON:
        document["top"] = frequencies.top(settings.top_values)
    if kind.is_numeric or kind in SCALARS:
        document["histogram"] = frequencies.histogram(settings.bins)
        document["quantiles"] = frequencies.quantiles() if frequencies.values else None
    if kind.is_numeric and frequencies.values:
        quantiles: dict[str, Any] = document["quantiles"]
        document["outliers"] = frequencies.outliers(quantiles["p25"], quantiles["p75"])
    return document


def count_duplicate_rows(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], *, by_hash: bool
) -> int:
    """Rows that repeat an earlier one; by a 64-bit hash of the row where there are too many to hold."""
    names = ", ".join(quoted(column.name) for column in columns)
    key = f"hash({names})" if by_hash else names
    row = connection.execute(
        f"SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM {relation} GROUP BY {key})"  # noqa: S608 - identifiers are quoted
    ).fetchone()
    assert row is not None
    return int(row[0])
