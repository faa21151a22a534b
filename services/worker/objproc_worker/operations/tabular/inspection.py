"""From content to the layout its rows can be read with; types of columns come later, from the survey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from objproc.operations import InputFile, OperationError
from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.content import Content, sniff
from objproc_worker.operations.tabular.csv_reader import find_unclosed_row
from objproc_worker.operations.tabular.dialect import detect_dialect, has_header, read_sample
from objproc_worker.operations.tabular.layout import Column, Layout, unique_names
from objproc_worker.operations.tabular.limits import COLUMNS_MAX
from objproc_worker.operations.tabular.parquet_reader import ParquetReader
from objproc_worker.operations.tabular.reading import Flaws


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller knows better than the content; None leaves it to the content."""

    format: str | None
    delimiter: str | None
    quote: str
    encoding: str | None
    header: bool | None
    null_values: tuple[str, ...]
    majority: float


def inspect(source: InputFile, wishes: Wishes) -> tuple[Content, Layout]:
    """What `source` is and how to read it. OperationError for what cannot be read at all."""
    content = sniff(source, encoding=wishes.encoding, quote=wishes.quote, format_wanted=wishes.format)
    layout = Layout(format=content.format, null_values=wishes.null_values)
    if content.encoded is not None:
        layout = replace(
            layout,
            encoding=content.encoded.encoding,
            has_invalid_bytes=content.encoded.invalid_at is not None,
            has_nul=content.encoded.has_nul,
        )
    match content.format:
        case "parquet":
            return content, layout.with_columns(ParquetReader(layout, source.path, Flaws(0)).columns())
        case "csv" | "tsv":
            return content, _delimited(layout, source.path, content, wishes)
        case _:
            return content, layout


def _delimited(layout: Layout, path: Path, content: Content, wishes: Wishes) -> Layout:
    sample = read_sample(path, layout.encoding or "utf-8")
    declared = wishes.delimiter or ("\t" if wishes.format == "tsv" else None)
    dialect = detect_dialect(sample, wishes.quote, declared)
    if not dialect.records:
        raise OperationError("empty_content", "The content holds no record, only blank lines.")
    first = dialect.records[0]
    if len(first) > COLUMNS_MAX:
        raise OperationError("too_many_columns", f"{len(first)} columns; at most {COLUMNS_MAX} can be read.")
    header = wishes.header
    if header is None:
        header = has_header(dialect.records, wishes.null_values, wishes.majority)
    names = unique_names(first if header else [""] * len(first))
    layout = replace(
        layout,
        format="tsv" if dialect.delimiter == "\t" else "csv",
        delimiter=dialect.delimiter,
        quote=wishes.quote,
        line_end=dialect.line_end,
        has_header=header,
        columns=tuple(
            Column(name=name, source_name=source if header else None, type=ColumnType.TEXT)
            for name, source in zip(names, first, strict=True)
        ),
    )
    if content.encoded is not None and content.encoded.has_odd_quotes:
        layout = replace(layout, unclosed_row=find_unclosed_row(path, layout))
    return layout
