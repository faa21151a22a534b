"""profile.json: the numbers of data.parquet, each exact or with the sample it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from objproc_worker.operations.tabular.data_file import read_groups
from objproc_worker.operations.tabular.database import database, literal, quoted
from objproc_worker.operations.tabular.distributions import (
    Frequencies,
    Settings,
    count_duplicate_rows,
    describe_distribution,
    show,
)
from objproc_worker.operations.tabular.documents import rounded
from objproc_worker.operations.tabular.layout import Column
from objproc_worker.operations.tabular.moments import Moments, Pair, take_moments, take_spread
from objproc_worker.operations.tabular.sampling import write_sample

EXACT = {"is_exact": True}
DISTINCT_METHOD = "HyperLogLog over all rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to profile and how thoroughly."""

    data: Path
    scratch: Path
    columns: Sequence[Column]
    personal: frozenset[str]
    rows: int
    exact_rows_max: int
    sample_rows: int
    seed: int
    settings: Settings
    threads: int
    memory_bytes: int

    @property
    def is_sampled(self) -> bool:
        return self.rows > self.exact_rows_max


def take_profile(plan: Plan, report: Callable[[float], None]) -> dict[str, Any]:
    """The columns, correlations and duplicate rows; without a score yet."""
    moments = take_moments(lambda: read_groups(plan.data), plan.columns, plan.rows)
    report(0.15)
    numeric = [column.name for column in plan.columns if column.type.is_numeric]
    pairs = take_spread(_some_columns(plan, numeric), _only_numeric(moments)) if numeric else {}
    report(0.3)
    with database(plan.scratch, threads=plan.threads, memory_bytes=plan.memory_bytes) as connection:
        relation = _relation(plan, connection)
        columns = []
        for index, moment in enumerate(moments):
            columns.append(_column(plan, connection, relation, moment))
            report(0.3 + 0.6 * (index + 1) / len(moments))
        duplicates = count_duplicate_rows(connection, "data", plan.columns, by_hash=plan.is_sampled)
    report(0.95)
    return {
        "rows": plan.rows,
        "columns": columns,
        "correlations": _correlations(_only_numeric(moments), pairs),
        "duplicate_rows": {
            "count": duplicates,
            "basis": {"is_exact": False, "method": "64-bit hash of the row"} if plan.is_sampled else EXACT,
        },
        "missing_map": {
            "segments": len(moments[0].nulls_by_segment),
            "nulls": {moment.column.name: moment.nulls_by_segment for moment in moments if moment.nulls},
            "basis": EXACT,
        },
    }


def _some_columns(plan: Plan, names: Sequence[str]) -> Callable[[], Any]:
    return lambda: read_groups(plan.data, names)


def _only_numeric(moments: Sequence[Moments]) -> list[Moments]:
    return [moment for moment in moments if moment.column.type.is_numeric]


def _relation(plan: Plan, connection: duckdb.DuckDBPyConnection) -> str:
    """The name of the view whose values are counted: all rows, or the sample."""
    connection.execute(f"CREATE VIEW data AS SELECT * FROM read_parquet({literal(str(plan.data))})")  # noqa: S608 - quoted
    if not plan.is_sampled:
        return "data"
    path = plan.scratch / "sample.parquet"
    write_sample(lambda: read_groups(plan.data), path, rows=plan.rows, sample_rows=plan.sample_rows, seed=plan.seed)
    connection.execute(f"CREATE VIEW sample AS SELECT * FROM read_parquet({literal(str(path))})")  # noqa: S608 - quoted
    return "sample"


def _column(plan: Plan, connection: duckdb.DuckDBPyConnection, relation: str, moment: Moments) -> dict[str, Any]:
    column = moment.column
    is_personal = column.name in plan.personal
    frequencies = Frequencies(connection, relation, column)
    document: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "is_pii": is_personal,
        "values": moment.values,
        "nulls": moment.nulls,
        "basis": EXACT,
        "distribution_basis": EXACT,
        **describe_distribution(frequencies, plan.settings, is_withheld=is_personal),
    }
    if plan.is_sampled:
        row = connection.execute(f"SELECT approx_count_distinct({quoted(column.name)}) FROM data").fetchone()  # noqa: S608 - quoted
        document["distinct"] = min(int(row[0]) if row else 0, moment.values)
        document["distribution_basis"] = {
            "is_exact": False,
            "sample_rows": plan.sample_rows,
            "seed": plan.seed,
            "distinct_method": DISTINCT_METHOD,
        }
    if moment.minimum is not None and not is_personal:
        document |= {"min": _plain(moment.minimum, column), "max": _plain(moment.maximum, column)}
    if column.type.is_numeric and not is_personal:
        document |= {
            "mean": rounded(moment.mean),
            "std": rounded(moment.std),
            "sum": moment.sum if isinstance(moment.sum, int) and abs(moment.sum) < 2**63 else rounded(moment.sum),
            "zeros": moment.zeros,
            "negatives": moment.negatives,
        }
    return document


def _plain(value: Any, column: Column) -> Any:
    if column.type.is_numeric:
        return show(column.type, value)
    text: str = value.isoformat()
    return text.replace("+00:00", "Z")


def _correlations(moments: Sequence[Moments], pairs: dict[tuple[int, int], Pair]) -> dict[str, Any]:
    indices = sorted({index for pair in pairs for index in pair}) or list(range(len(moments)))[:1]
    matrix: list[list[float | None]] = []
    for left in indices:
        line: list[float | None] = []
        for right in indices:
            value = 1.0 if left == right else pairs[min(left, right), max(left, right)].pearson()
            line.append(value if value is None else round(value, 9) + 0.0)
        matrix.append(line)
    return {
        "method": "pearson",
        "columns": [moments[index].column.name for index in indices],
        "columns_left_out": len(moments) - len(indices),
        "matrix": matrix,
        "basis": EXACT,
    }
