"""The card of one column: its chart, then its numbers."""

from __future__ import annotations

from typing import Any

from objproc_worker.operations.tabular.report.charts import histogram, top_bars
from objproc_worker.operations.tabular.report.wording import number, percent, text

TOP_SHOWN = 6
NEARLY_ALL = 0.9


def render_card(column: dict[str, Any], logical_type: str | None, rows: int, anchor: str) -> str:
    """HTML of the column's card; `anchor` is its id."""
    tags = [f'<span class="tag">{text(column["type"])}</span>']
    if logical_type:
        tags.append(f'<span class="tag">{text(logical_type)}</span>')
    if column["is_pii"]:
        tags.append('<span class="tag pii">personal</span>')
    return (
        f'<article class="card" id="{anchor}"><div class="head"><h3>{text(column["name"])}</h3>'
        f'<div class="tags">{"".join(tags)}</div></div>{_chart(column)}'
        f'<dl class="facts">{"".join(_fact(name, value) for name, value in _facts(column, rows))}</dl></article>'
    )


def _chart(column: dict[str, Any]) -> str:
    name = column["name"]
    if column.get("withheld"):
        return '<p class="withheld">Values are withheld: this column holds personal data.</p>'
    bins = column.get("histogram")
    if bins and column["distinct"] > 1:
        return histogram(bins["edges"], bins["counts"], (column["min"], column["max"]), name)
    if not column["values"]:
        return '<p class="soft">No value at all.</p>'
    top = column.get("top")
    if not top:
        return ""
    if len(top) > TOP_SHOWN and column["distinct"] > NEARLY_ALL * column["values"]:
        return '<p class="soft">Nearly every value is different, so there are no frequent ones.</p>'
    return top_bars(top[:TOP_SHOWN], name)


def _facts(column: dict[str, Any], rows: int) -> list[tuple[str, str]]:
    about = "" if column["distribution_basis"]["is_exact"] else "≈ "
    facts = [
        ("Missing", percent(column["nulls"] / rows) if rows else "–"),
        ("Distinct", about + number(column["distinct"])),
    ]
    if "min" in column:
        facts += [("Min", number(column["min"])), ("Max", number(column["max"]))]
    if "mean" in column:
        facts += [("Mean", number(column["mean"])), ("Std dev", number(column["std"]))]
    quantiles = column.get("quantiles")
    if quantiles:
        facts += [
            (label, about + number(quantiles[key]))
            for key, label in (("p05", "5 %"), ("p25", "25 %"), ("p50", "Median"), ("p75", "75 %"), ("p95", "95 %"))
        ]
    if column.get("outliers"):
        facts.append(("Outliers", about + number(column["outliers"]["count"])))
    lengths = column.get("lengths")
    if lengths:
        facts.append(("Length", about + _span(lengths["min"], lengths["max"])))
        facts.append(("Mean length", about + number(lengths["mean"])))
    return facts


def _span(low: int, high: int) -> str:
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _fact(name: str, value: str) -> str:
    return f"<div><dt>{name}</dt><dd>{value}</dd></div>"
