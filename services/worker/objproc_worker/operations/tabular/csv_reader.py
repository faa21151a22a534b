"""Delimited text: Arrow's parser gives the rows, Python's gives the raw text of the rejected ones."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from objproc.operations import OperationError
from objproc_worker.operations.tabular.cells import Batch, Cells, TextCells
from objproc_worker.operations.tabular.layout import Layout
from objproc_worker.operations.tabular.limits import RECORD_BYTES_MAX
from objproc_worker.operations.tabular.reading import Flaw, Flaws, RawRow, cut_raw


class CsvReader:
    """Rows are numbered from 1 without the header; blank lines are no rows."""

    def __init__(self, layout: Layout, path: Path, flaws: Flaws) -> None:
        self.layout = layout
        self.path = path
        self.flaws = flaws
        self._header_rows = 1 if layout.has_header else 0
        self._nulls = pa.array(layout.null_values, pa.string())

    def batches(self) -> Iterator[Batch]:
        """Well-formed rows; OperationError `record_too_large` where a record exceeds a block."""
        ragged: deque[tuple[int, int]] = deque()
        following = 1 - self._header_rows  # number of the next row, the header being row 0
        try:
            for chunk in self._open(ragged):
                numbers, following = self._number(chunk.num_rows, following, ragged)
                batch = self._batch(chunk, numbers)
                if batch.rows:
                    yield batch
        except pa.ArrowInvalid as error:
            raise self._too_large() if "straddl" in str(error) else error from None
        while ragged:
            self._flaw_ragged(*ragged.popleft())

    def _open(self, ragged: deque[tuple[int, int]]) -> arrow_csv.CSVStreamingReader:
        def keep(row: arrow_csv.InvalidRow) -> str:
            ragged.append((row.number - self._header_rows, row.actual_columns))
            return "skip"

        names = [str(position) for position in range(len(self.layout.columns))]
        kind = pa.binary() if self.layout.has_invalid_bytes else pa.string()
        stream = pa.input_stream(self.path, compression=None)
        if self.layout.encoding not in {"utf-8", "utf-8-sig"}:
            stream = pa.transcoding_input_stream(stream, self.layout.encoding, "utf-8")
        return arrow_csv.open_csv(
            stream,
            # One thread: only then does the parser number the ragged rows.
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=RECORD_BYTES_MAX),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.layout.delimiter,
                quote_char=self.layout.quote,
                newlines_in_values=True,
                ignore_empty_lines=True,
                invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, kind)),
        )

    def _number(self, rows: int, following: int, ragged: deque[tuple[int, int]]) -> tuple[Sequence[int], int]:
        """The numbers of the next `rows` well-formed rows, and the number after them."""
        if not ragged or ragged[0][0] >= following + rows:
            return range(following, following + rows), following + rows
        numbers: list[int] = []
        while len(numbers) < rows:
            wanted = rows - len(numbers)
            sound = min(ragged[0][0] - following, wanted) if ragged else wanted
            numbers.extend(range(following, following + sound))
            following += sound
            if ragged and ragged[0][0] == following and len(numbers) < rows:
                self._flaw_ragged(*ragged.popleft())
                following += 1
        return numbers, following

    def _flaw_ragged(self, row: int, width: int) -> None:
        if row == self.layout.unclosed_row:
            code = "unclosed_quote"
        else:
            code = "too_few_columns" if width < len(self.layout.columns) else "too_many_columns"
        self.flaws.add_row([Flaw(row, "", code)])

    def _batch(self, chunk: pa.RecordBatch, numbers: Sequence[int]) -> Batch:
        if numbers and numbers[0] == 0:
            chunk, numbers = chunk.slice(1), numbers[1:]
        size = chunk.nbytes + chunk.num_rows * chunk.num_columns
        broken = self._broken(chunk, numbers)
        if broken:
            for index, code in sorted(broken.items()):
                self.flaws.add_row([Flaw(numbers[index], "", code)])
            chunk = chunk.filter(pa.array([index not in broken for index in range(chunk.num_rows)]))
            numbers = [number for index, number in enumerate(numbers) if index not in broken]
        columns: list[Cells] = [TextCells(column.cast(pa.string()), self._nulls) for column in chunk.columns]
        return Batch(numbers=numbers, columns=columns, bytes_read=size)

    def _broken(self, chunk: pa.RecordBatch, numbers: Sequence[int]) -> dict[int, str]:
        """Rows of the right width that still cannot be used: index in the chunk to code."""
        broken: dict[int, str] = {}
        unclosed = self.layout.unclosed_row
        if unclosed is not None and numbers and numbers[0] <= unclosed <= numbers[-1] and unclosed in numbers:
            broken[numbers.index(unclosed)] = "unclosed_quote"
        for column in chunk.columns:
            if self.layout.has_nul:
                has_nul = pc.match_substring(column, "\0")
                broken |= dict.fromkeys(pc.indices_nonzero(has_nul).to_pylist(), "nul_character")
            if self.layout.has_invalid_bytes:
                broken |= dict.fromkeys(_undecodable(column), "invalid_encoding")
        return broken

    def recall(self, rows: Sequence[int]) -> Iterator[RawRow]:
        """Reads again from the start, as far as the last of `rows`."""
        wanted = deque(rows)
        for number, line, raw in read_records(self.path, self.layout):
            if not wanted:
                return
            if number - self._header_rows == wanted[0]:
                yield RawRow(wanted.popleft(), line, cut_raw(raw))

    def _too_large(self) -> OperationError:
        for _, line, raw in read_records(self.path, self.layout):
            if len(raw.encode("utf-8", "replace")) >= RECORD_BYTES_MAX // 2:
                where = f" starting on line {line}"
                break
        else:
            where = ""
        return OperationError(
            "record_too_large",
            f"The record{where} is larger than {RECORD_BYTES_MAX >> 20} MiB; probably a quote that opens "
            "there is never closed.",
        )


def _undecodable(column: pa.Array) -> list[int]:
    try:
        column.cast(pa.string())
    except pa.ArrowInvalid:
        return [index for index, value in enumerate(column.to_pylist()) if not _is_utf8(value)]
    return []


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_records(path: Path, layout: Layout) -> Iterator[tuple[int, int, str]]:
    """Number (the header is 1), first line and raw text of each record that is not blank."""
    quote, delimiter = layout.quote or '"', layout.delimiter or ","
    csv.field_size_limit(1 << 40)
    number, line = 0, 1
    with path.open("r", encoding=layout.encoding, errors="backslashreplace", newline="") as file:
        for first in file:
            raw, lines = first, 1
            if quote in first and not _is_one_record(first, quote, delimiter):
                raw, lines = _whole_record(first, file, quote, delimiter)
            if raw[0] not in "\r\n":
                number += 1
                yield number, line, raw
            line += lines


def _is_one_record(line: str, quote: str, delimiter: str) -> bool:
    """Quick and never wrongly True: two quotes, the first of which opens a value."""
    at = line.index(quote)
    return line.count(quote) == 2 and (at == 0 or line[at - 1] == delimiter)


def _whole_record(first: str, file: TextIO, quote: str, delimiter: str) -> tuple[str, int]:
    """The record that begins with the line `first`, and how many lines it has."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in chain((first,), file):
            taken.append(line)
            yield line

    next(csv.reader(lines(), delimiter=delimiter, quotechar=quote), None)
    return "".join(taken), len(taken)


def find_unclosed_row(path: Path, layout: Layout) -> int | None:
    """The last row's number if the file ends inside a quoted value."""
    last: tuple[int, int, str] | None = None
    for last in read_records(path, layout):  # noqa: B007 - the loop is for its end
        pass
    if last is None:
        return None
    probe = csv.reader([last[2]], delimiter=layout.delimiter or ",", quotechar=layout.quote, strict=True)
    try:
        list(probe)
    except csv.Error as error:
        return last[0] - bool(layout.has_header) if "unexpected end" in str(error) else None
    return None
