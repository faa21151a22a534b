"""Live progress bars on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from objproc_client.answers import FeedEvent, Submission
from objproc_client.command.reporters import Ending, Reporter, describe
from objproc_client.command.screen import STYLE_BY_STATE, legible


class LiveBars:
    """Moves one bar for every object under way, and leaves a line for every one that ended."""

    def __init__(self, bars: Progress) -> None:
        """Draw with `bars`, which are running."""
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def uploading(self, name: str, sent: int, size: int) -> None:
        """Move the upload's bar."""
        self._draw(name, 100.0 * sent / size if size else 100.0, "uploading")

    def submitted(self, name: str, submission: Submission) -> None:
        """Begin the object's bar."""
        self._draw(name, 0.0, submission.state)

    def happened(self, name: str, event: FeedEvent) -> None:
        """Move the object's bar."""
        self._draw(name, event.progress, describe(event))

    def ended(self, ending: Ending) -> None:
        """Leave a line in place of the bar."""
        if (task := self._tasks.pop(ending.name, None)) is not None:
            self._bars.remove_task(task)
        parts = (f"{legible(ending.name)}  ", (ending.state, STYLE_BY_STATE.get(ending.state, "red")))
        self._bars.console.print(Text.assemble(*parts, f"  {ending.object_id or ''}"))

    def _draw(self, name: str, completed: float | None, stage: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(legible(name), total=100.0, stage="")
        self._bars.update(self._tasks[name], completed=completed, stage=legible(stage))


@contextmanager
def live_bars() -> Iterator[Reporter]:
    """Draw bars as long as the context lasts."""
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stage]}", markup=False, style="dim"),
        TimeElapsedColumn(),
        transient=True,
    ) as bars:
        yield LiveBars(bars)
