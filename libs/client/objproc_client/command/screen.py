"""What the command writes: tables for people, JSON lines for programs, notes on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
STYLE_BY_STATE = {
    "COMPLETED": "green",
    "SUCCEEDED": "green",
    "PROCESSING": "cyan",
    "RUNNING": "cyan",
    "RETRYING": "yellow",
    "CANCELLED": "yellow",
    "FAILED": "bold red",
    "DELETED": "dim",
}


class Screen:
    """Standard output, for people or (`is_json`) for programs, and standard error."""

    def __init__(self, *, is_json: bool = False) -> None:
        """Look whether people read along."""
        self.is_json = is_json
        self.is_terminal = sys.stdout.isatty()

    def emit(self, raw: object) -> None:
        """Write one JSON line, if programs read."""
        if self.is_json:
            print(json.dumps(raw, ensure_ascii=False, default=str), flush=True)

    def say(self, text: str = "") -> None:
        """Write one line, if people read."""
        if not self.is_json:
            print(legible(text), flush=True)

    def note(self, text: str) -> None:
        """Write to standard error, whoever reads."""
        print(legible(text), file=sys.stderr, flush=True)

    def pairs(self, values: Mapping[str, object]) -> None:
        """Write names and values, one a line."""
        width = max(map(len, values), default=0)
        for name, value in values.items():
            self.say(f"{name:<{width}}  {cell(value)}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write rows under their columns; in colours and fitted on a terminal, whole lines elsewhere."""
        if self.is_json:
            return
        if self.is_terminal:
            print_rich(columns, rows)
        else:
            for line in aligned(columns, rows):
                self.say(line)


def aligned(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lay out rows in columns as wide as their widest cell."""
    cells = [list(columns), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def print_rich(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Lay out rows for the terminal's width and colours."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True  # it names the row: people copy it
    for row in rows:
        table.add_row(*(Text(text, style=STYLE_BY_STATE.get(text, "")) for text in map(cell, row)))
    Console().print(table)


def cell(value: object) -> str:
    """Write one value for people."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, dict | list | tuple):
        return legible(json.dumps(value, ensure_ascii=False, default=str))
    return legible(str(value)).replace("\n", " ")


def legible(text: str) -> str:
    """Show control characters instead of obeying them: names and errors come from strangers."""
    return CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def percent(progress: float | None) -> str:
    """Write a progress in percent."""
    return "–" if progress is None else f"{progress:.0f} %"


def size(size_bytes: int | None) -> str:
    """Write a size in the largest fitting binary unit."""
    if size_bytes is None:
        return "–"
    amount, units = float(size_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def took(started_at: datetime | None, finished_at: datetime | None) -> str:
    """Write how long something took, if it is over."""
    if started_at is None or finished_at is None:
        return "–"
    return f"{(finished_at - started_at).total_seconds():.1f} s"


def flat(raw: Any) -> Any:
    """Bring `{"name": {...}}` into the rows `[{"name": "name", ...}]`; anything else stays."""
    if isinstance(raw, dict) and raw and all(isinstance(value, dict) for value in raw.values()):
        return [{"name": name, **value} for name, value in raw.items()]
    return raw
