"""The page as a whole: from the score down to the single column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from objproc_worker.operations.tabular.report.charts import gauge, heat_map, missing_map
from objproc_worker.operations.tabular.report.column_card import render_card
from objproc_worker.operations.tabular.report.wording import number, percent, size, text

COLUMNS_SHOWN_MAX = 150
FINDINGS_SHOWN_MAX = 25
MISSING_SHOWN_MAX = 60
STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render_page(profile: dict[str, Any], verdict: dict[str, Any], metadata: dict[str, Any]) -> str:
    """The HTML document; the same documents give the same page."""
    logical = {column["name"]: column["logical_type"] for column in metadata["columns"]}
    shown = profile["columns"][:COLUMNS_SHOWN_MAX]
    cards = "".join(
        render_card(column, logical.get(column["name"]), profile["rows"], f"column-{index}")
        for index, column in enumerate(shown)
    )
    left_out = len(profile["columns"]) - len(shown)
    more = f'<p class="soft">{left_out} more columns are in profile.json.</p>' if left_out else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Data profile</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><main>"
        f"{_header(verdict, metadata)}{_tiles(profile, verdict, metadata)}{_findings(profile)}"
        f"{_rejects(verdict)}{_overview(shown, profile['rows'])}{_missing(profile)}{_correlations(profile)}"
        f'<h2>Columns in detail</h2><div class="columns">{cards}</div>{more}{_footer(profile, metadata)}'
        "</main></body></html>\n"
    )


def _header(verdict: dict[str, Any], metadata: dict[str, Any]) -> str:
    facts = metadata["facts"]
    parts = [facts["format"].upper(), size(facts["source_bytes"])]
    if verdict["encoding"]:
        parts.append(verdict["encoding"].upper())
    if verdict["delimiter"]:
        name = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}.get(verdict["delimiter"])
        parts.append(f"delimiter {name or verdict['delimiter']}")
    return (
        f'<header><h1>Data profile</h1><p class="soft">{text(" · ".join(parts))} · SHA-256 '
        f"<code>{text(facts['source_sha256'][:16])}</code></p></header>"
    )


def _tiles(profile: dict[str, Any], verdict: dict[str, Any], metadata: dict[str, Any]) -> str:
    facts = metadata["facts"]
    missing = facts["null_cells"] / facts["cells"] if facts["cells"] else 0
    rejected = verdict["rows_rejected"]
    tiles = [
        (number(profile["rows"]), "rows accepted"),
        (number(rejected), f"rows rejected ({percent(rejected / verdict['rows']) if verdict['rows'] else '0%'})"),
        (number(len(profile["columns"])), "columns"),
        (percent(missing), "of the cells missing"),
        (number(profile["duplicate_rows"]["count"]), "duplicate rows"),
        (number(len(metadata["pii_columns"])), "personal columns"),
    ]
    score = f'<div class="card tile center">{gauge(profile["quality"]["score"])}<span>quality score</span></div>'
    return (
        f'<section class="tiles">{score}'
        + "".join(f'<div class="card tile"><b>{value}</b><span>{label}</span></div>' for value, label in tiles)
        + "</section>"
    )


def _findings(profile: dict[str, Any]) -> str:
    findings = profile["findings"]
    if not findings:
        return ""
    items = []
    for finding in findings[:FINDINGS_SHOWN_MAX]:
        names = " and ".join(f"<b>{text(name, 60)}</b>" for name in finding["columns"])
        items.append(f"<li>{names + ': ' if names else ''}{text(finding['message'])}</li>")
    more = len(findings) - len(items)
    if more:
        items.append(f'<li class="soft">{more} more in profile.json</li>')
    return f'<h2>Worth a look</h2><section class="card"><ul class="findings">{"".join(items)}</ul></section>'


def _rejects(verdict: dict[str, Any]) -> str:
    by_code = verdict["rejects"]["by_code"]
    if not by_code:
        return ""
    rows = "".join(
        f'<tr><td><code>{text(code)}</code></td><td class="n">{count:,}</td></tr>'
        for code, count in sorted(by_code.items(), key=lambda item: (-item[1], item[0]))
    )
    return (
        '<h2>Rejected rows</h2><section class="card"><table><tr><th>Reason</th><th class="n">Findings</th></tr>'
        f"{rows}</table></section>"
    )


def _overview(columns: list[dict[str, Any]], rows: int) -> str:
    lines = "".join(
        f'<tr><td><a href="#column-{index}">{text(column["name"], 80)}</a></td>'
        f'<td class="t">{text(column["type"])}</td>'
        f'<td class="n">{percent(column["nulls"] / rows) if rows else "–"}</td>'
        f'<td class="n">{"" if column["distribution_basis"]["is_exact"] else "≈ "}{number(column["distinct"])}</td>'
        "</tr>"
        for index, column in enumerate(columns)
    )
    return (
        '<h2>Columns</h2><section class="card scroll"><table><tr><th>Name</th><th>Type</th><th class="n">Missing</th>'
        f'<th class="n">Distinct</th></tr>{lines}</table></section>'
    )


def _missing(profile: dict[str, Any]) -> str:
    nulls = dict(list(profile["missing_map"]["nulls"].items())[:MISSING_SHOWN_MAX])
    if not nulls:
        body = '<p class="soft">No value is missing.</p>'
    else:
        chart = missing_map(nulls, profile["rows"], profile["missing_map"]["segments"])
        note = "First row left, last row right; the stronger the colour, the emptier."
        body = f'<p class="soft">{note}</p><div class="scroll">{chart}</div>'
    return f'<h2>Missing values</h2><section class="card">{body}</section>'


def _correlations(profile: dict[str, Any]) -> str:
    correlations = profile["correlations"]
    if len(correlations["columns"]) < 2:
        return ""
    left_out = correlations["columns_left_out"]
    note = f" {left_out} numeric columns beyond the first ones are left out." if left_out else ""
    return (
        f'<h2>Correlations</h2><section class="card"><p class="soft">Pearson\'s r over rows where both have a value; '
        f'blue together, red against each other.{note}</p><div class="scroll">'
        f"{heat_map(correlations['columns'], correlations['matrix'])}</div></section>"
    )


def _footer(profile: dict[str, Any], metadata: dict[str, Any]) -> str:
    quality = profile["quality"]
    parts = ", ".join(f"{name} {value:.4f}" for name, value in quality["parts"].items())
    bases = [c["distribution_basis"] for c in profile["columns"] if not c["distribution_basis"]["is_exact"]]
    exactness = "Every number is exact, computed over all accepted rows."
    if bases:
        exactness = (
            f"Numbers marked ≈, histograms and top values come from a sample of {bases[0]['sample_rows']:,} rows "
            f"(seed {bases[0]['seed']}); distinct counts by {bases[0]['distinct_method']}; all others are exact."
        )
    return (
        f"<footer><p>{text(exactness)} Standard deviations are of the sample (n − 1); quantiles are interpolated "
        f"linearly.</p><p>Quality: {text(quality['formula'])}. Here: {text(parts)}.</p>"
        f"<p>Source SHA-256 <code>{text(metadata['facts']['source_sha256'])}</code></p></footer>"
    )
