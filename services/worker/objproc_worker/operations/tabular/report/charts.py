"""Charts as inline SVG: colours come from the page's style, so they follow dark and light."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from typing import Any

from objproc_worker.operations.tabular.report.wording import axis_end, number, percent, text

WIDTH = 340
PLOT_HEIGHT = 96
BAR_ROW = 20
LABEL_CHARS = 18
HEAT_LABEL_CHARS = 16


def gauge(value: float) -> str:
    """A half circle filled to `value` of 100."""
    angle = pi * (1 - max(0.0, min(value, 100.0)) / 100)
    x, y = 60 + 50 * cos(angle), 60 - 50 * sin(angle)
    level = "good" if value >= 90 else "fair" if value >= 70 else "poor"
    return (
        f'<svg class="gauge {level}" viewBox="0 0 120 66" role="img" aria-label="Quality score {value:.1f} of 100">'
        '<path class="track" d="M10 60 A50 50 0 0 1 110 60"/>'
        + (f'<path class="arc" d="M10 60 A50 50 0 0 1 {x:.2f} {y:.2f}"/>' if value > 0 else "")
        + f'<text x="60" y="58" text-anchor="middle">{value:.1f}</text></svg>'
    )


def histogram(edges: Sequence[Any], counts: Sequence[int], ends: tuple[Any, Any], label: str) -> str:
    """Bars between the edges; `ends` (smallest and largest value) are written below."""
    highest = max(counts, default=0) or 1
    step = WIDTH / len(counts)
    bars = []
    for index, count in enumerate(counts):
        height = PLOT_HEIGHT * count / highest
        shown = max(height, 1.5) if count else 0
        bars.append(
            f'<rect class="bar" x="{index * step + 0.75:.2f}" y="{PLOT_HEIGHT + 4 - shown:.2f}" '
            f'width="{max(step - 1.5, 0.5):.2f}" height="{shown:.2f}" rx="1">'
            f"<title>{number(edges[index])} to {number(edges[index + 1])}: {count:,}</title></rect>"
        )
    base = PLOT_HEIGHT + 4
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {base + 18}" role="img" aria-label="Histogram of {text(label)}">'
        + "".join(bars)
        + f'<line class="axis" x1="0" y1="{base}" x2="{WIDTH}" y2="{base}"/>'
        f'<text class="tick" x="0" y="{base + 14}">{axis_end(ends[0])}</text>'
        f'<text class="tick" x="{WIDTH / 2}" y="{base + 14}" text-anchor="middle">peak {highest:,}</text>'
        f'<text class="tick" x="{WIDTH}" y="{base + 14}" text-anchor="end">{axis_end(ends[1])}</text></svg>'
    )


def top_bars(values: Sequence[dict[str, Any]], label: str) -> str:
    """One horizontal bar per frequent value."""
    highest = max((entry["count"] for entry in values), default=0) or 1
    left, right = 128, 62
    rows = []
    for index, entry in enumerate(values):
        y = index * BAR_ROW
        length = (WIDTH - left - right) * entry["count"] / highest
        rows.append(
            f"<g><title>{text(entry['value'])}: {entry['count']:,}</title>"
            f'<text class="label" x="0" y="{y + 14}">{text(entry["value"], LABEL_CHARS)}</text>'
            f'<rect class="bar" x="{left}" y="{y + 3}" width="{max(length, 1.5):.2f}" height="{BAR_ROW - 6}" rx="2"/>'
            f'<text class="tick" x="{left + max(length, 1.5) + 5:.2f}" y="{y + 14}">'
            f"{percent(entry['share'])}</text></g>"
        )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {len(values) * BAR_ROW}" role="img" '
        f'aria-label="Most frequent values of {text(label)}">{"".join(rows)}</svg>'
    )


def missing_map(nulls: dict[str, list[int]], rows: int, segments: int) -> str:
    """One line per column with missing values, from the first row (left) to the last; darker is emptier."""
    left, right, height = 128, 50, 18
    width = 640
    step = (width - left - right) / max(segments, 1)
    lines = []
    for index, (name, counts) in enumerate(nulls.items()):
        y = index * height
        cells = []
        for segment, count in enumerate(counts):
            length = rows * (segment + 1) // segments - rows * segment // segments
            if count:
                cells.append(
                    f'<rect class="gap" x="{left + segment * step:.2f}" y="{y + 2}" width="{step + 0.2:.2f}" '
                    f'height="{height - 4}" fill-opacity="{0.15 + 0.85 * count / length:.3f}"/>'
                )
        lines.append(
            f"<g><title>{text(name)}: {sum(counts):,} of {rows:,} missing</title>"
            f'<text class="label" x="0" y="{y + 13}">{text(name, LABEL_CHARS)}</text>'
            f'<rect class="track" x="{left}" y="{y + 2}" width="{width - left - right}" height="{height - 4}"/>'
            f'{"".join(cells)}<text class="tick" x="{width}" y="{y + 13}" text-anchor="end">'
            f"{percent(sum(counts) / rows)}</text></g>"
        )
    return (
        f'<svg class="wide" viewBox="0 0 {width} {len(nulls) * height}" role="img" aria-label="Missing values by '
        f'column and position" style="min-width:{width * 0.8:.0f}px">{"".join(lines)}</svg>'
    )


def heat_map(names: Sequence[str], matrix: Sequence[Sequence[float | None]]) -> str:
    """The lower triangle of the correlation matrix; colour tells the sign, strength the size."""
    cell = 34 if len(names) <= 14 else 22
    has_numbers = cell > 30
    left = 118
    width = left + cell * len(names) + 10
    height = cell * len(names) + 92
    parts = []
    for row, line in enumerate(matrix):
        y = row * cell
        parts.append(
            f'<text class="label" x="{left - 6}" y="{y + cell / 2 + 4:.1f}" text-anchor="end">'
            f"<title>{text(names[row])}</title>{text(names[row], HEAT_LABEL_CHARS)}</text>"
        )
        for column, value in enumerate(line[: row + 1]):
            parts.append(_heat_cell(left + column * cell, y, cell, value, names[row], names[column], has_numbers))
        x = left + row * cell + cell / 2
        parts.append(
            f'<text class="label" transform="translate({x:.1f} {cell * len(names) + 8}) rotate(50)">'
            f"{text(names[row], 12)}</text>"
        )
    return (
        f'<svg class="heat" viewBox="0 0 {width + 40} {height}" width="{width + 40}" height="{height}" role="img" '
        f'aria-label="Correlation matrix">{"".join(parts)}</svg>'
    )


def _heat_cell(x: float, y: float, cell: int, value: float | None, row: str, column: str, has_numbers: bool) -> str:
    shown = "not defined" if value is None else f"{value:+.3f}"
    sign = "none" if value is None else "positive" if value >= 0 else "negative"
    strength = 0.0 if value is None else abs(value)
    label = ""
    if has_numbers and value is not None:
        tone = "on-strong" if strength > 0.6 else "on-weak"
        digits = "0" if strength < 0.005 else f"{value:.2f}".replace("0.", ".", 1)
        label = (
            f'<text class="cell {tone}" x="{x + cell / 2}" y="{y + cell / 2 + 4}" text-anchor="middle">'
            f"{digits.replace('-', '−')}</text>"
        )
    return (
        f"<g><title>{text(row)} and {text(column)}: {shown}</title>"
        f'<rect class="track" x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="{cell - 2}" rx="3"/>'
        f'<rect class="{sign}" x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="{cell - 2}" rx="3" '
        f'fill-opacity="{strength:.3f}"/>{label}</g>'
    )
