"""analyze: the profile of the data, as numbers and as a page."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from objproc.operations import NoParams, Operation, OperationContext, OperationFactory, OperationResult
from objproc_worker.operations.tabular.distributions import Settings
from objproc_worker.operations.tabular.documents import read_document, required, write_document
from objproc_worker.operations.tabular.layout import Layout
from objproc_worker.operations.tabular.profile import Plan, take_profile
from objproc_worker.operations.tabular.quality import find, score
from objproc_worker.operations.tabular.report.page import render_page


class AnalyzeParams(NoParams):
    """How thorough the profile is."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    exact_rows_max: int = Field(default=5_000_000, ge=1_000, le=100_000_000)
    """With more rows, quantiles, histograms and top values come from a seeded sample, and say so."""
    sample_rows: int = Field(default=500_000, ge=100, le=5_000_000)
    seed: int = Field(default=7, ge=0, lt=2**31)
    top_values: int = Field(default=10, ge=0, le=50)
    bins: int = Field(default=20, ge=2, le=100)


@OperationFactory.register
class Analyze(Operation):
    """Profile every column, correlate the numeric ones, count duplicates, score the quality."""

    type = "analyze"
    requires = ("enrich",)
    version = "1"

    class Params(AnalyzeParams):
        __doc__ = AnalyzeParams.__doc__

    def execute(self, context: OperationContext[AnalyzeParams]) -> OperationResult:
        """Leaves profile.json and report.html; values of personal columns are in neither."""
        params = context.params
        verdict = read_document(context.inputs, "validation.json")
        metadata = read_document(context.inputs, "metadata.json")
        layout = Layout.from_json(verdict)
        accepted = verdict["rows_accepted"]
        plan = Plan(
            data=required(context.inputs, "data.parquet").path,
            scratch=context.scratch,
            columns=layout.columns,
            personal=frozenset(metadata["pii_columns"]),
            rows=accepted,
            exact_rows_max=params.exact_rows_max,
            sample_rows=min(params.sample_rows, accepted),
            seed=params.seed,
            settings=Settings(top_values=params.top_values, bins=params.bins),
            threads=context.threads,
            memory_bytes=context.memory_bytes,
        )
        profile = take_profile(plan, context.report)
        profile["rows_rejected"] = verdict["rows_rejected"]
        profile["quality"] = score(
            rows=verdict["rows"],
            rejected=verdict["rows_rejected"],
            cells=accepted * len(layout.columns),
            null_cells=sum(column["nulls"] for column in profile["columns"]),
            duplicates=profile["duplicate_rows"]["count"],
        )
        profile["findings"] = find(profile)
        write_document(context.artifact("profile.json", "application/json"), profile)
        page = render_page(profile, verdict, metadata)
        context.artifact("report.html", "text/html").write_text(page, encoding="utf-8")
        context.report(1.0)
        return context.done(
            quality_score=profile["quality"]["score"],
            numeric_columns=sum(column.type.is_numeric for column in layout.columns),
            duplicate_rows=profile["duplicate_rows"]["count"],
            findings=len(profile["findings"]),
        )
