"""export: everything in one ZIP, the data in the format asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict

from objproc.operations import NoParams, Operation, OperationContext, OperationFactory, OperationResult
from objproc_worker.operations.tabular.archive import Member, write_archive
from objproc_worker.operations.tabular.documents import read_document, required, write_document
from objproc_worker.operations.tabular.export_formats import write_csv, write_ndjson
from objproc_worker.operations.tabular.layout import Layout

ARTIFACTS = {
    "metadata.json": "application/json",
    "profile.json": "application/json",
    "rejects.csv": "text/csv",
    "report.html": "text/html",
    "validation.json": "application/json",
}
MEDIA_TYPES = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
DATA_SHARE = 0.6


class ExportParams(NoParams):
    """What the data in the archive looks like."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    format: Literal["csv", "ndjson", "parquet"] = "csv"
    csv_guard: bool = True
    """In CSV, put ' before texts that a spreadsheet would calculate (= + - @); numbers stay numbers."""


@OperationFactory.register
class Export(Operation):
    """Pack the data and every artifact before it, with a manifest of sizes and digests."""

    type = "export"
    requires = ("analyze",)
    version = "1"

    class Params(ExportParams):
        __doc__ = ExportParams.__doc__

    def execute(self, context: OperationContext[ExportParams]) -> OperationResult:
        """Leaves export.zip and manifest.json; the manifest is in the archive too."""
        params = context.params
        verdict = read_document(context.inputs, "validation.json")
        layout = Layout.from_json(verdict)
        members = [
            Member(
                name=f"data.{params.format}",
                media_type=MEDIA_TYPES[params.format],
                path=_write_data(context, layout, verdict["rows_accepted"]),
                rows=verdict["rows_accepted"],
            )
        ]
        for name, media_type in ARTIFACTS.items():
            rows = verdict["rejects"]["listed"] if name == "rejects.csv" else None
            path = required(context.inputs, name).path
            members.append(Member(name=name, media_type=media_type, path=path, rows=rows))
        files = [member.as_json() for member in members]
        manifest = context.artifact("manifest.json", "application/json")
        write_document(
            manifest,
            {
                "format": params.format,
                "csv_guard": params.csv_guard if params.format == "csv" else None,
                "files": files,
                "source": {"bytes": context.source.size, "sha256": context.source.sha256},
                "rows": verdict["rows"],
                "rows_accepted": verdict["rows_accepted"],
                "rows_rejected": verdict["rows_rejected"],
            },
        )
        context.report(DATA_SHARE)
        members.append(Member(name="manifest.json", media_type="application/json", path=manifest))
        archive = context.artifact("export.zip", "application/zip")
        write_archive(archive, members)
        context.report(1.0)
        return context.done(files=len(members), bytes=archive.stat().st_size, format=params.format)


def _write_data(context: OperationContext[ExportParams], layout: Layout, rows: int) -> Path:
    data = required(context.inputs, "data.parquet").path
    path = context.scratch / f"data.{context.params.format}"

    def report(done: int) -> None:
        context.report(DATA_SHARE * done / max(rows, 1))

    match context.params.format:
        case "csv":
            write_csv(data, path, layout.columns, is_guarded=context.params.csv_guard, report=report)
        case "ndjson":
            write_ndjson(data, path, layout.columns, report=report)
        case "parquet":
            return data
    return path
