"""JSON documents and NDJSON: one object is one row, its top-level keys are the columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import orjson
import pyarrow as pa

from objproc.operations import OperationError
from objproc_worker.operations.tabular.categories import Category
from objproc_worker.operations.tabular.cells import CODES, Batch, Cells, MarkedCells, normalise_text
from objproc_worker.operations.tabular.layout import Layout
from objproc_worker.operations.tabular.limits import (
    BATCH_ROWS,
    COLUMNS_MAX,
    JSON_BYTES_MAX,
    RECORD_BYTES_MAX,
)
from objproc_worker.operations.tabular.reading import Flaw, Flaws, RawRow, cut_raw

SCALAR_COLUMN = "value"
"""The one column of an array without any object."""
LONG_DIGITS = re.compile(rb"[0-9]{19}")
INTEGER_MAX = 10**18
BATCH_BYTES = RECORD_BYTES_MAX


def parse_json(data: bytes) -> Any:
    """Strict JSON. Integers keep every digit, which orjson alone would not do beyond 64 bits."""
    if LONG_DIGITS.search(data):
        orjson.loads(data)  # the judge of what is valid
        return json.loads(data)
    return orjson.loads(data)


class Utf8Reader:
    """A text file as UTF-8 bytes without a byte order mark. A context manager."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._bytes: BinaryIO | None = None
        self._text: TextIO | None = None
        if encoding in {"utf-8", "utf-8-sig"}:
            self._bytes = path.open("rb")
            if self._bytes.read(3) != b"\xef\xbb\xbf":
                self._bytes.seek(0)
        else:
            self._text = path.open("r", encoding=encoding, newline="\n")

    def readline(self, size: int) -> bytes:
        """The next line with its end, at most about `size` bytes of it; empty at the end of the file."""
        return self._text.readline(size).encode() if self._text else self._stream().readline(size)

    def read(self) -> bytes:
        """All that is left."""
        return self._text.read().encode() if self._text else self._stream().read()

    def _stream(self) -> BinaryIO:
        assert self._bytes is not None
        return self._bytes

    def __enter__(self) -> Utf8Reader:
        return self

    def __exit__(self, *_: object) -> None:
        (self._text or self._stream()).close()


class ObjectCells:
    """Turns rows (dictionaries) into marked columns."""

    def __init__(self, null_values: tuple[str, ...]) -> None:
        self._nulls = pa.array(null_values, pa.string())

    def columns(self, rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> list[Cells]:
        return [self._cells([row.get(key) for row in rows]) for key in keys]

    def _cells(self, values: list[Any]) -> Cells:
        marked = [_mark(value) for value in values]
        text = pa.array([text for text, _ in marked], pa.string())
        codes = pa.array([code for _, code in marked], pa.int8())
        return MarkedCells(normalise_text(text, self._nulls), codes)


def source_keys(layout: Layout) -> dict[str, None]:
    """The keys the layout's columns come from, in order; empty before the survey."""
    return {column.name if column.source_name is None else column.source_name: None for column in layout.columns}


def _mark(value: Any) -> tuple[str | None, int]:
    match value:
        case None:
            return None, CODES[Category.TEXT]
        case str():
            return value, CODES[Category.TEXT]
        case bool():
            return ("true" if value else "false"), CODES[Category.BOOLEAN]
        case int():
            is_safe = -INTEGER_MAX < value < INTEGER_MAX
            return str(value), CODES[Category.INTEGER if is_safe else Category.IDENTIFIER]
        case float():
            return repr(value), CODES[Category.DECIMAL]
        case _:
            return _dump(value), CODES[Category.NESTED]


def _dump(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # an integer beyond 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class NdjsonReader:
    """One JSON object a line; lines that are none are flaws. Blank lines are no rows."""

    def __init__(self, layout: Layout, path: Path, flaws: Flaws) -> None:
        self.layout = layout
        self.path = path
        self.flaws = flaws
        self.keys: dict[str, None] = source_keys(layout)
        self._cells = ObjectCells(layout.null_values)

    def batches(self) -> Iterator[Batch]:
        """While the layout has no columns yet, batches grow columns as new keys appear."""
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        size = 0
        for number, _, data in self._lines():
            size += len(data)
            row, code = _object(data)
            if row is None:
                self.flaws.add_row([Flaw(number, "", code)])
            else:
                rows.append(row)
                numbers.append(number)
                if not self.layout.columns:
                    grow_keys(self.keys, row)
            if len(rows) >= BATCH_ROWS or size >= BATCH_BYTES:
                yield self._batch(rows, numbers, size)
                rows, numbers, size = [], [], 0
        if rows:
            yield self._batch(rows, numbers, size)

    def _batch(self, rows: list[dict[str, Any]], numbers: list[int], size: int) -> Batch:
        columns = self._cells.columns(rows, list(self.keys))
        return Batch(numbers=numbers, columns=columns, bytes_read=size)

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        number, line = 0, 0
        with Utf8Reader(self.path, self.layout.encoding or "utf-8") as file:
            while data := file.readline(RECORD_BYTES_MAX + 1):
                line += 1
                if len(data) > RECORD_BYTES_MAX:
                    raise OperationError(
                        "record_too_large", f"Line {line} is longer than {RECORD_BYTES_MAX >> 20} MiB."
                    )
                if data.strip():
                    number += 1
                    yield number, line, data

    def recall(self, rows: Sequence[int]) -> Iterator[RawRow]:
        wanted = list(reversed(rows))
        for number, line, data in self._lines():
            if not wanted:
                return
            if number == wanted[-1]:
                yield RawRow(wanted.pop(), line, cut_raw(data.decode("utf-8", "backslashreplace")))


def _object(data: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        value = parse_json(data)
    except ValueError:
        return None, "malformed_json"
    return (value, "") if isinstance(value, dict) else (None, "not_an_object")


def grow_keys(keys: dict[str, None], row: dict[str, Any]) -> None:
    """Add new keys of `row` in the order of their first appearance."""
    if row.keys() - keys.keys():
        keys.update(dict.fromkeys(row))
        if len(keys) > COLUMNS_MAX:
            raise OperationError("too_many_columns", f"The rows have more than {COLUMNS_MAX} different keys.")


class JsonReader:
    """A document: an array of objects is rows, anything else is one row."""

    def __init__(self, layout: Layout, path: Path, flaws: Flaws) -> None:
        self.layout = layout
        self.path = path
        self.flaws = flaws
        self._elements: list[Any] | None = None
        self.keys: dict[str, None] = source_keys(layout)
        self._cells = ObjectCells(layout.null_values)

    def elements(self) -> list[Any]:
        """The rows-to-be. OperationError `malformed_json` with line and column, or `json_too_large`."""
        if self._elements is None:
            document = self._load()
            elements = document if isinstance(document, list) else [document]
            if not any(isinstance(element, dict) for element in elements):
                elements = [{SCALAR_COLUMN: element} for element in elements]
            self._elements = elements
        return self._elements

    def _load(self) -> Any:
        size = self.path.stat().st_size
        if size > JSON_BYTES_MAX:
            raise OperationError(
                "json_too_large",
                f"A JSON document may have {JSON_BYTES_MAX >> 20} MiB, this one has {size >> 20} MiB; "
                "NDJSON (one object a line) has no such limit.",
            )
        with Utf8Reader(self.path, self.layout.encoding or "utf-8") as file:
            data = file.read()
        try:
            return parse_json(data)
        except orjson.JSONDecodeError as error:
            reason = error.msg.split(": line")[0]
            raise OperationError(
                "malformed_json", f"Not valid JSON at line {error.lineno}, column {error.colno}: {reason}."
            ) from None
        except RecursionError:
            raise OperationError("malformed_json", "The JSON is nested too deeply.") from None

    def batches(self) -> Iterator[Batch]:
        elements = self.elements()
        if not self.layout.columns:
            for element in elements:
                if isinstance(element, dict):
                    grow_keys(self.keys, element)
        share = self.path.stat().st_size / max(len(elements), 1)
        for start in range(0, len(elements), BATCH_ROWS):
            rows: list[dict[str, Any]] = []
            numbers: list[int] = []
            for number, element in enumerate(elements[start : start + BATCH_ROWS], start + 1):
                if isinstance(element, dict):
                    rows.append(element)
                    numbers.append(number)
                else:
                    self.flaws.add_row([Flaw(number, "", "not_an_object")])
            columns = self._cells.columns(rows, list(self.keys))
            yield Batch(numbers=numbers, columns=columns, bytes_read=int(share * len(rows)))

    def recall(self, rows: Sequence[int]) -> Iterator[RawRow]:
        elements = self.elements()
        for row in rows:
            yield RawRow(row, None, cut_raw(_dump(elements[row - 1])))
