"""data.parquet as CSV or NDJSON: the same rows in the same order, times in ISO 8601."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.data_file import read_groups
from objproc_worker.operations.tabular.layout import Column
from objproc_worker.operations.tabular.moments import one_array

FORMULA_START = r"^([=+\-@\t\r])"
"""What makes a spreadsheet calculate instead of show (OWASP, CSV injection)."""
TIMES = {ColumnType.DATE, ColumnType.TIMESTAMP, ColumnType.TIMESTAMP_UTC}
TEXTS = {ColumnType.TEXT, ColumnType.JSON}
NDJSON_ROWS = 8_192


def write_csv(
    data: Path, path: Path, columns: Sequence[Column], *, is_guarded: bool, report: Callable[[int], None]
) -> None:
    """RFC 4180 with LF, UTF-8, a header; nulls are empty. A guarded text that looks like a formula starts with '."""
    names = [pa.array([column.name], pa.string()) for column in columns]
    rows = 0
    with path.open("wb") as file:
        file.write(_csv_lines([_guarded(name) if is_guarded else name for name in names]))
        for table in read_groups(data):
            texts = []
            for column, chunked in zip(columns, table.columns, strict=True):
                text = as_text(one_array(chunked), column.type)
                texts.append(_guarded(text) if is_guarded and column.type in TEXTS else text)
            file.write(_csv_lines(texts))
            rows += table.num_rows
            report(rows)


def _csv_lines(texts: Sequence[pa.Array]) -> bytes:
    """The rows, quoted where a value needs it."""
    # A line with nothing on it would be no row at all, so a lone null is a quoted nothing.
    null = '""' if len(texts) == 1 else ""
    fields = [_quoted(text) for text in texts]
    lines = pc.binary_join_element_wise(*fields, pa.scalar(","), null_handling="replace", null_replacement=null)
    lines = pc.binary_join_element_wise(lines, "\n", "")
    _, offsets, content = lines.buffers()  # one after the other: that is how Arrow holds texts
    ends = memoryview(offsets).cast("i")
    return bytes(memoryview(content)[ends[lines.offset] : ends[lines.offset + len(lines)]])


def _quoted(text: pa.Array) -> pa.Array:
    needs = pc.fill_null(pc.match_substring_regex(text, r'[",\r\n]|^ | $'), False)
    if not pc.any(needs).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), text)


def _guarded(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, FORMULA_START, r"'\1", max_replacements=1)


def as_text(array: pa.Array, kind: ColumnType) -> pa.Array:
    """Values as text; timestamps as `2024-01-31T10:00:00`, with a fraction only where there is one."""
    text = array.cast(pa.string())
    if kind in TIMES:
        text = pc.replace_substring(text, " ", "T")
        text = pc.replace_substring(text, ".000000", "")
    return text


def write_ndjson(data: Path, path: Path, columns: Sequence[Column], *, report: Callable[[int], None]) -> None:
    """One object a line with every column; JSON columns are nested again."""
    names = [column.name for column in columns]
    rows = 0
    with path.open("wb") as file:
        for table in read_groups(data):
            for batch in table.to_batches(max_chunksize=NDJSON_ROWS):
                lists = [_json_values(array, column) for column, array in zip(columns, batch.columns, strict=True)]
                for values in zip(*lists, strict=True):
                    file.write(orjson.dumps(dict(zip(names, values, strict=True)), option=orjson.OPT_APPEND_NEWLINE))
                rows += batch.num_rows
                report(rows)


def _json_values(array: pa.Array, column: Column) -> list[Any]:
    if column.type is ColumnType.JSON:
        return [None if text is None else orjson.Fragment(text) for text in array.to_pylist()]
    values: list[Any] = (as_text(array, column.type) if column.type in TIMES else array).to_pylist()
    return values
