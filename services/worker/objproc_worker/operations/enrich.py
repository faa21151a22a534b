"""enrich: what the columns mean, which of them are personal, and what a row looks like."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from objproc.operations import NoParams, Operation, OperationContext, OperationFactory, OperationResult
from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.data_file import read_groups
from objproc_worker.operations.tabular.documents import read_document, required, write_document
from objproc_worker.operations.tabular.layout import Column, Layout
from objproc_worker.operations.tabular.logical_types import LogicalType, count_emails_inside, recognise
from objproc_worker.operations.tabular.personal_data import PersonalData, find_personal_data
from objproc_worker.operations.tabular.row_schema import column_schema, row_schema

LOGICAL_SHARE_MIN = 0.8
CARD_DIGITS_MIN = 10**12


@dataclass(slots=True)
class Meaning:
    """What is known of one column; complete after the last row group."""

    column: Column
    values: int = 0
    found: Counter[LogicalType] = field(default_factory=Counter)
    emails_inside: int = 0
    shortest: int | None = None
    longest: int | None = None

    def add(self, array: pa.Array) -> None:
        """Look at the values of one row group, each distinct text once."""
        array = array.drop_null()
        self.values += len(array)
        texts = self._texts(array)
        if not len(texts):
            return
        frequencies = pc.value_counts(texts)
        distinct, counts = frequencies.field("values"), frequencies.field("counts")
        self.emails_inside += count_emails_inside(distinct, counts)
        if self.column.type is ColumnType.JSON:
            return
        self.found.update(recognise(distinct, counts))
        if self.column.type is ColumnType.TEXT:
            extremes = pc.min_max(pc.utf8_length(distinct)).as_py()
            self.shortest = min(extremes["min"], extremes["min"] if self.shortest is None else self.shortest)
            self.longest = max(extremes["max"], self.longest or 0)

    def _texts(self, array: pa.Array) -> pa.Array:
        if self.column.type in {ColumnType.TEXT, ColumnType.JSON}:
            return array
        if self.column.type is ColumnType.INTEGER:
            # Only numbers as long as a payment card can be more than a number.
            return array.filter(pc.greater_equal(array, CARD_DIGITS_MIN)).cast(pa.string())
        return array.slice(0, 0).cast(pa.string())

    def logical_type(self) -> tuple[LogicalType | None, float | None]:
        """The type most values have, if at least LOGICAL_SHARE_MIN of them do, and their share."""
        if not self.found:
            return None, None
        preference = list(LogicalType)
        kind = min(self.found, key=lambda kind: (-self.found[kind], preference.index(kind)))
        share = self.found[kind] / self.values
        return (kind, round(share, 6)) if share >= LOGICAL_SHARE_MIN else (None, None)

    def personal_data(self) -> PersonalData | None:
        return find_personal_data(self.column.name, self.column.type, self.found, self.emails_inside, self.values)

    def schema(self) -> dict[str, Any]:
        complete = [kind for kind in LogicalType if self.values and self.found[kind] == self.values]
        lengths = None if self.shortest is None else (self.shortest, self.longest or 0)
        is_nullable = self.column.nulls > 0
        return column_schema(
            self.column.type, is_nullable=is_nullable, only=complete[0] if complete else None, lengths=lengths
        )

    def as_json(self) -> dict[str, Any]:
        kind, share = self.logical_type()
        personal = self.personal_data()
        return {
            "name": self.column.name,
            "type": self.column.type,
            "values": self.values,
            "nulls": self.column.nulls,
            "logical_type": kind,
            "logical_type_share": share,
            "matches": {
                str(kind): {"values": count, "share": round(count / self.values, 6)}
                for kind, count in self.found.items()
            },
            "is_pii": personal is not None,
            "pii": personal.as_json() if personal else None,
        }


@OperationFactory.register
class Enrich(Operation):
    """Recognise logical types and personal data, and infer the JSON Schema of a row."""

    type = "enrich"
    requires = ("transform",)
    version = "1"

    class Params(NoParams):
        """None."""

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        """Leaves metadata.json: counts and shares over all rows, never a value."""
        verdict = read_document(context.inputs, "validation.json")
        layout = Layout.from_json(verdict)
        data = required(context.inputs, "data.parquet")
        rows = verdict["rows_accepted"]
        meanings = [Meaning(column) for column in layout.columns]
        done = 0
        for table in read_groups(data.path):
            for meaning, column in zip(meanings, table.columns, strict=True):
                meaning.add(pa.concat_arrays(column.chunks))
            done += table.num_rows
            context.report(done / rows)
        columns = [meaning.as_json() for meaning in meanings]
        personal = [column["name"] for column in columns if column["is_pii"]]
        metadata = {
            "facts": {
                "format": layout.format,
                "encoding": layout.encoding,
                "source_bytes": context.source.size,
                "source_sha256": context.source.sha256,
                "data_bytes": data.size,
                "rows": rows,
                "columns": len(columns),
                "cells": rows * len(columns),
                "null_cells": sum(column.nulls for column in layout.columns),
            },
            "columns": columns,
            "pii_columns": personal,
            "row_schema": row_schema([(meaning.column.name, meaning.schema()) for meaning in meanings]),
            "policy": {
                "logical_type_share_min": LOGICAL_SHARE_MIN,
                "pii": "One email or IBAN, half of the values for looser patterns, or a telling column name.",
            },
            "is_exact": True,
        }
        write_document(context.artifact("metadata.json", "application/json"), metadata)
        context.report(1.0)
        kinds = Counter(str(column["logical_type"] or column["type"]) for column in columns)
        return context.done(columns=len(columns), pii_columns=len(personal), logical_types=dict(sorted(kinds.items())))
