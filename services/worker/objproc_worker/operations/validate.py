"""validate: what the content is, how to read it, and which rows cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from pydantic import ConfigDict, Field

from objproc.operations import (
    NoParams,
    Operation,
    OperationContext,
    OperationError,
    OperationFactory,
    OperationResult,
)
from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.documents import write_document
from objproc_worker.operations.tabular.inspection import Wishes, inspect
from objproc_worker.operations.tabular.json_reader import JsonReader, NdjsonReader
from objproc_worker.operations.tabular.layout import NULL_VALUES, Column, Layout, unique_names
from objproc_worker.operations.tabular.readers import open_reader
from objproc_worker.operations.tabular.reading import TableReader
from objproc_worker.operations.tabular.rejects import find_bad_cells, write_rejects
from objproc_worker.operations.tabular.survey import Survey, take_survey, typed_column
from objproc_worker.operations.tabular.verdict import Verdict

SURVEY_SHARE = 0.6


class ValidateParams(NoParams):
    """What the caller knows better than the content."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    format: Literal["csv", "tsv", "json", "ndjson"] | None = None
    """None: found out from the content."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1, pattern=r"^[^\r\n]$")
    quote: str = Field(default='"', min_length=1, max_length=1, pattern=r"^[!-~]$")
    encoding: str | None = Field(default=None, max_length=40)
    header: bool | None = None
    null_values: list[str] = Field(default=list(NULL_VALUES), max_length=100)
    """Trimmed texts that are null; the empty text always is."""
    majority: float = Field(default=0.8, gt=0.5, le=1.0)
    """Share of a column's values that must fit a type for the others to become rejects."""
    max_rejects: int = Field(default=10_000, ge=0, le=1_000_000)
    """Most lines of rejects.csv; counts stay exact."""
    max_reject_share: float = Field(default=1.0, ge=0.0, le=1.0)
    """Above this share of rejected rows the operation fails with `too_many_rejects`."""


@OperationFactory.register
class Validate(Operation):
    """Find format, encoding, dialect and column types; name every row that does not fit."""

    type = "validate"
    version = "1"

    class Params(ValidateParams):
        __doc__ = ValidateParams.__doc__

    def execute(self, context: OperationContext[ValidateParams]) -> OperationResult:
        """Leaves validation.json and rejects.csv."""
        params, source = context.params, context.source
        report = _by_bytes(context, source.size)
        content, layout = inspect(source, _wishes(params))
        reader = open_reader(layout, source.path, params.max_rejects)
        survey = take_survey(reader, lambda done: report(done, 0.0, SURVEY_SHARE))
        _refuse_if_nothing_is_json(reader, survey)
        layout = _typed(layout, reader, survey, params.majority)
        cells, layout = find_bad_cells(
            open_reader(layout, source.path), layout, params.max_rejects, lambda done: report(done, SURVEY_SHARE, 0.95)
        )
        rows = survey.rows + reader.flaws.rows
        rejected = cells.rows + reader.flaws.rows
        if rejected > params.max_reject_share * rows:
            raise OperationError(
                "too_many_rejects",
                f"{rejected} of {rows} rows were rejected; max_reject_share allows {params.max_reject_share}.",
            )
        listed = sorted(reader.flaws.listed + cells.listed)[: params.max_rejects]
        verdict = Verdict(
            content=content,
            layout=layout,
            size=source.size,
            rows=rows,
            rows_rejected=rejected,
            by_code=reader.flaws.counts + cells.counts,
            listed=len(listed),
            majority=params.majority,
        )
        write_rejects(context.artifact("rejects.csv", "text/csv"), reader, listed)
        write_document(context.artifact("validation.json", "application/json"), verdict.as_json())
        context.report(1.0)
        return context.done(rows=rows, rows_rejected=rejected, columns=len(layout.columns), format=layout.format)


def _wishes(params: ValidateParams) -> Wishes:
    return Wishes(
        format=params.format,
        delimiter=params.delimiter,
        quote=params.quote,
        encoding=params.encoding,
        header=params.header,
        null_values=tuple(dict.fromkeys(["", *params.null_values])),
        majority=params.majority,
    )


def _by_bytes(context: OperationContext[ValidateParams], size: int) -> Callable[[int, float, float], None]:
    def report(done: int, start: float, end: float) -> None:
        context.report(start + (end - start) * min(done / max(size, 1), 1.0))

    return report


def _refuse_if_nothing_is_json(reader: TableReader, survey: Survey) -> None:
    if survey.rows or not reader.flaws.rows or not isinstance(reader, NdjsonReader):
        return
    (first,) = reader.recall([1])
    raise OperationError(
        "malformed_json",
        f"No line is a JSON object; the first that is none is line {first.line}.",
    )


def _typed(layout: Layout, reader: TableReader, survey: Survey, majority: float) -> Layout:
    """`layout` with typed columns; Parquet's types are its own."""
    columns = list(layout.columns)
    if isinstance(reader, JsonReader | NdjsonReader):
        keys = list(reader.keys)
        columns = [
            Column(name=name, source_name=key, type=ColumnType.TEXT)
            for name, key in zip(unique_names(keys), keys, strict=True)
        ]
        if not columns:
            raise OperationError("empty_content", "The JSON holds no object with a key: there is no column.")
    counts = survey.counts or [Counter() for _ in columns]
    if layout.format == "parquet":
        return layout.with_columns(
            replace(column, nulls=survey.rows - count.total()) for column, count in zip(columns, counts, strict=True)
        )
    return layout.with_columns(
        typed_column(column, count, survey.rows, majority) for column, count in zip(columns, counts, strict=True)
    )
