"""Delimiter and header of a delimited text, decided on its head."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from objproc_worker.operations.tabular.categories import Category, count_categories
from objproc_worker.operations.tabular.cells import normalise_text
from objproc_worker.operations.tabular.column_types import ColumnType, decide_type
from objproc_worker.operations.tabular.limits import SAMPLE_BYTES

DELIMITERS = (",", ";", "\t", "|")
"""In order of preference where two fit equally well."""
RECORDS_MAX = 1_000
SAMPLE_RECORD_CHARS_MAX = SAMPLE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the text is delimited, and how sure that is (share of sampled records that fit)."""

    delimiter: str
    line_end: str
    records: list[list[str]]
    """The sampled records, the header (if any) first."""
    fit: float


def read_sample(path: Path, encoding: str) -> str:
    """The decoded head of the file, cut after its last whole line unless it is the whole file."""
    with path.open("r", encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE_BYTES)
        if not file.read(1):
            return sample
    cut = max(sample.rfind("\n"), sample.rfind("\r"))
    return sample[: cut + 1] if cut > 0 else sample


def detect_dialect(sample: str, quote: str, declared: str | None = None) -> Dialect:
    """The delimiter under which most records are as wide as the first one; the widest, if equally good."""
    candidates = (declared,) if declared else DELIMITERS
    parsed = {delimiter: parse(sample, delimiter, quote) for delimiter in candidates}
    splitting = {d: records for d, records in parsed.items() if records and len(records[0]) > 1}
    best, fit = candidates[0], -1.0
    for delimiter, records in (splitting or parsed).items():
        if not records:
            continue
        share = sum(len(record) == len(records[0]) for record in records) / len(records)
        if (round(share, 2), len(records[0])) > (round(fit, 2), len(parsed[best][0]) if fit >= 0 else 0):
            best, fit = delimiter, share
    return Dialect(delimiter=best, line_end=_line_end(sample), records=parsed[best], fit=max(fit, 0.0))


def parse(sample: str, delimiter: str, quote: str) -> list[list[str]]:
    """At most RECORDS_MAX records; blank lines are none."""
    csv.field_size_limit(SAMPLE_RECORD_CHARS_MAX * 4)
    records: list[list[str]] = []
    for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quotechar=quote):
        if record:
            records.append(record)
        if len(records) >= RECORDS_MAX:
            break
    return records


def has_header(records: list[list[str]], null_values: tuple[str, ...], majority: float) -> bool:
    """Whether the first record names the columns.

    Yes if a column of typed values starts with a text; no if the first record holds typed values
    itself (years above other values are names, though); otherwise (texts only) yes.
    """
    nulls = pa.array(null_values, pa.string())
    first, *body = records
    is_typed_first = False
    for position, cell in enumerate(first):
        head = _categories([cell], nulls)
        values = [record[position] for record in body if len(record) == len(first)]
        # `n`, `no` and `none` are values elsewhere, but good names too.
        if any(head[category] for category in (Category.TEXT, Category.FLAG, Category.MISSING)):
            kind, _ = decide_type(_categories(values, nulls), majority)
            if kind is not ColumnType.TEXT:
                return True
        elif head and not (_is_year(cell) and not all(map(_is_year, values))):
            is_typed_first = True
    return not is_typed_first


def _is_year(cell: str) -> bool:
    return len(cell.strip()) == 4 and cell.strip()[:2] in {"19", "20"} and cell.strip().isdigit()


def _categories(values: list[str], nulls: pa.Array) -> Counter[Category]:
    return count_categories(normalise_text(pa.array(values, pa.string()), nulls))


def _line_end(sample: str) -> str:
    """crlf, lf, cr, mixed or none."""
    crlf = sample.count("\r\n")
    ends = {"crlf": crlf, "lf": sample.count("\n") - crlf, "cr": sample.count("\r") - crlf}
    used = [name for name, count in ends.items() if count]
    return used[0] if len(used) == 1 else ("mixed" if used else "none")
