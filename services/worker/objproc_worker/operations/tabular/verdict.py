"""The document validation.json: layout, counts, and what a person should know about the content."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from objproc_worker.operations.tabular.content import Content
from objproc_worker.operations.tabular.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that validate found out. Counts are exact."""

    content: Content
    layout: Layout
    size: int
    rows: int
    rows_rejected: int
    by_code: Counter[str]
    listed: int
    majority: float

    @property
    def flaws(self) -> int:
        return sum(self.by_code.values())

    def as_json(self) -> dict[str, Any]:
        """The document; `Layout.from_json` reads its layout back."""
        return {
            **self.layout.as_json(),
            "columns": [
                {**column, "position": position}
                for position, column in enumerate(self.layout.as_json()["columns"], start=1)
            ],
            "declared_format": self.content.declared,
            "has_bom": bool(self.content.encoded and self.content.encoded.has_bom),
            "size_bytes": self.size,
            "rows": self.rows,
            "rows_accepted": self.rows - self.rows_rejected,
            "rows_rejected": self.rows_rejected,
            "rejects": {"flaws": self.flaws, "listed": self.listed, "by_code": dict(self.by_code)},
            "issues": [{"code": code, "message": message} for code, message in self._issues()],
            "policy": {
                "majority": self.majority,
                "type_rule": "A column has a type when at least this share of its non-null values fits it; "
                "rows with another value are rejected. Decimals among integers widen the column to number, "
                "zero-padded or overlong digits make it text.",
                "row_numbers": "Rows count from 1 without header and blank lines; lines are physical lines.",
            },
            "is_exact": True,
        }

    def _issues(self) -> list[tuple[str, str]]:
        layout, encoded = self.layout, self.content.encoded
        issues: list[tuple[str, str]] = []
        if self.content.declared not in {None, layout.format}:
            issues.append(("format_differs", f"Declared {self.content.declared}, found {layout.format}."))
        if encoded and encoded.invalid_at is not None:
            issues.append(("invalid_encoding", f"Bytes that are not UTF-8, the first at byte {encoded.invalid_at}."))
        elif encoded and not encoded.encoding.startswith("utf"):
            issues.append(("legacy_encoding", f"Not UTF-8; read as {encoded.encoding}."))
        if encoded and encoded.has_nul:
            issues.append(("nul_character", "The content holds NUL characters."))
        if layout.line_end == "mixed":
            issues.append(("mixed_line_ends", "Lines end in different ways."))
        if layout.has_header is False:
            issues.append(("no_header", "The first row holds values, so the columns are numbered."))
        sources = [column.source_name for column in layout.columns if column.source_name is not None]
        if any(not source.strip() for source in sources):
            issues.append(("empty_column_name", "A column has no name; it is named by its position."))
        folded = Counter(source.strip().casefold() for source in sources if source.strip())
        if any(count > 1 for count in folded.values()):
            issues.append(("duplicate_column_name", "Columns share a name; later ones have a number added."))
        if layout.unclosed_row is not None:
            issues.append(("unclosed_quote", f"The quote opened in row {layout.unclosed_row} is never closed."))
        if self.listed < self.flaws:
            issues.append(("rejects_cut", f"rejects.csv lists the first {self.listed} of {self.flaws} flaws."))
        if self.rows == 0:
            issues.append(("no_rows", "There is a header and no row."))
        elif self.rows == self.rows_rejected:
            issues.append(("no_accepted_rows", "Every row was rejected."))
        return issues
