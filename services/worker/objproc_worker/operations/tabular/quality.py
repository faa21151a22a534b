"""The quality score, and what a reader of the profile should look at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WEIGHTS = {"validity": 0.4, "completeness": 0.4, "uniqueness": 0.2}
FORMULA = (
    "score = 100 x (0.4 x validity + 0.4 x completeness + 0.2 x uniqueness); "
    "validity = accepted rows / rows, completeness = non-null cells / cells, "
    "uniqueness = 1 - duplicate rows / accepted rows; without accepted rows the score is 0"
)
MANY_NULLS_SHARE = 0.2
STRONG_CORRELATION = 0.9
FINDINGS_MAX = 100

assert abs(sum(WEIGHTS.values()) - 1.0) < 1e-9


def score(*, rows: int, rejected: int, cells: int, null_cells: int, duplicates: int) -> dict[str, Any]:
    """The score of 0 to 100 with its parts and formula."""
    accepted = rows - rejected
    parts = {
        "validity": accepted / rows if rows else 0.0,
        "completeness": 1 - null_cells / cells if cells else 0.0,
        "uniqueness": 1 - duplicates / accepted if accepted else 0.0,
    }
    value = 100 * sum(WEIGHTS[name] * part for name, part in parts.items()) if accepted else 0.0
    return {
        "score": round(value, 2),
        "parts": {name: round(part, 6) for name, part in parts.items()},
        "weights": WEIGHTS,
        "formula": FORMULA,
    }


def find(profile: dict[str, Any]) -> list[dict[str, Any]]:
    """Notable facts, the gravest first; names of columns, never values."""
    rows = profile["rows"]
    found: list[tuple[str, Sequence[str], str]] = []
    if profile["rows_rejected"]:
        found.append(("rejected_rows", (), f"{profile['rows_rejected']:,} rows were rejected; see rejects.csv."))
    if profile["duplicate_rows"]["count"]:
        found.append(("duplicate_rows", (), f"{profile['duplicate_rows']['count']:,} rows repeat an earlier row."))
    for column in profile["columns"]:
        found.extend(_of_column(column, rows))
    names = profile["correlations"]["columns"]
    for index, line in enumerate(profile["correlations"]["matrix"]):
        for other in range(index):
            value = line[other]
            if value is not None and abs(value) >= STRONG_CORRELATION:
                pair = (names[other], names[index])
                found.append(("strong_correlation", pair, f"Pearson's r is {value:.3f}."))
    return [
        {"code": code, "columns": list(columns), "message": message} for code, columns, message in found[:FINDINGS_MAX]
    ]


def _of_column(column: dict[str, Any], rows: int) -> list[tuple[str, Sequence[str], str]]:
    name = (column["name"],)
    found: list[tuple[str, Sequence[str], str]] = []
    if column["is_pii"]:
        found.append(("personal_data", name, "Personal data: its values are withheld from this profile."))
    if not rows:
        return found
    nulls = column["nulls"] / rows
    if nulls == 1:
        found.append(("empty_column", name, "Has no value at all."))
    elif nulls >= MANY_NULLS_SHARE:
        found.append(("many_nulls", name, f"{nulls:.1%} of the values are missing."))
    if column["distinct"] == 1 and rows > 1 and not column["nulls"]:
        found.append(("constant_column", name, "Has the same value in every row."))
    is_exact = column["distribution_basis"]["is_exact"]
    if rows > 1 and column["distinct"] == rows and is_exact:
        found.append(("candidate_key", name, "Every value is there exactly once."))
    outliers = (column.get("outliers") or {}).get("count", 0)
    if outliers and column["distinct"] > 2:
        found.append(("outliers", name, f"{outliers:,} values lie beyond 1.5 interquartile ranges."))
    return found
