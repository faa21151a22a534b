"""What people get to see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from objproc_client import FeedEvent, Submission
from objproc_client.command.bars import LiveBars
from objproc_client.command.reporters import Ending, Lines
from objproc_client.command.screen import Screen, aligned, cell, legible, print_rich, size, took

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SUBMISSION = Submission.of({"object_id": "o", "identifier": "a", "state": "PENDING", "operations": ["validate"]})


def event(kind: str, progress: float, state: str = "PROCESSING") -> FeedEvent:
    """Make an event of one operation."""
    return FeedEvent(id="1", type=kind, object_id="o", state=state, progress=progress, operation="validate")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned(("A", "LONG"), [("abc", 1), ("d", None)]) == ["A    LONG", "abc  1", "d    –"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NOW, "2026-01-02 03:04:05Z"),
        ({"a": NOW}, '{"a": "2026-01-02 03:04:05+00:00"}'),
        ("a\nb", "a b"),
        (0, "0"),
    ],
)
def test_a_cell_is_one_line(value: object, text: str) -> None:
    assert cell(value) == text


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x9b31m", "\u202eevil", "a\rb"])
def test_control_characters_are_shown_and_not_obeyed(text: str) -> None:
    assert legible(text).isprintable()


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(None, "–"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 50, "1024.0 TiB")]
)
def test_sizes_have_a_fitting_unit(size_bytes: int | None, text: str) -> None:
    assert size(size_bytes) == text


def test_durations_need_both_ends() -> None:
    assert (took(NOW, NOW + timedelta(seconds=1.25)), took(NOW, None)) == ("1.2 s", "–")


def test_a_terminal_gets_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_rich(("NAME", "STATE"), [("[bold]a", "FAILED")])
    assert "[bold]a" in capsys.readouterr().out


def test_lines_skip_small_steps(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(Screen())
    lines.submitted("a", SUBMISSION)
    for progress in (0.0, 4.0, 12.0, 13.0):
        lines.happened("a", event("progress", progress))
    lines.happened("a", event("OperationSucceeded", 13.0))
    assert capsys.readouterr().out.splitlines() == [
        "a: submitted as o (validate)",
        "a: 12 % PROCESSING validate running",
        "a: 13 % PROCESSING validate OperationSucceeded",
    ]


def test_bars_move_and_leave_a_line() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=100, color_system=None)
    with Progress(BarColumn(), TextColumn("{task.fields[stage]}", markup=False), console=console) as progress:
        bars = LiveBars(progress)
        bars.uploading("a", 5, 10)
        assert progress.tasks[0].completed == 50.0
        bars.uploading("a", 0, 0)
        bars.submitted("a", SUBMISSION)
        bars.happened("a", event("OperationStarted", 25.0))
        assert (progress.tasks[0].completed, len(progress.tasks)) == (25.0, 1)
        bars.ended(Ending(name="a", object_id="o"))
        assert progress.tasks == []
    assert "a  UNKNOWN  o" in console.file.getvalue()
