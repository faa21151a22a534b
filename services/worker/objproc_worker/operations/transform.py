"""transform: the accepted rows as typed values, in source order."""

from __future__ import annotations

from typing import Any

from objproc.operations import NoParams, Operation, OperationContext, OperationFactory, OperationResult
from objproc_worker.operations.tabular.data_file import DataFileWriter
from objproc_worker.operations.tabular.documents import read_document
from objproc_worker.operations.tabular.layout import Layout
from objproc_worker.operations.tabular.readers import open_reader
from objproc_worker.operations.tabular.rejects import accept


@OperationFactory.register
class Transform(Operation):
    """Write the rows validate accepted as typed Parquet.

    Text is trimmed; the null values of validate are null; booleans, numbers, ISO dates and timestamps
    have their type; nested JSON values are compact JSON text.
    """

    type = "transform"
    requires = ("validate",)
    version = "1"

    class Params(NoParams):
        """None yet: declared steps come later."""

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        """Leaves data.parquet. The rows are those that validation.json counts as accepted."""
        verdict = read_document(context.inputs, "validation.json")
        layout = Layout.from_json(verdict)
        expected = verdict["rows_accepted"]
        path = context.artifact("data.parquet", "application/vnd.apache.parquet")
        with DataFileWriter(path, layout.columns) as writer:
            for batch in open_reader(layout, context.source.path).batches():
                writer.write(accept(batch, layout.columns))
                context.report(min(writer.rows / max(expected, 1), 1.0))
        if writer.rows != expected:
            raise RuntimeError(f"validate accepted {expected} rows, transform wrote {writer.rows}")
        context.report(1.0)
        return context.done(rows=writer.rows, columns=len(layout.columns), bytes=path.stat().st_size)
