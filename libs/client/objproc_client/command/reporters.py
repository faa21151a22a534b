"""Who is told how objects come along: people at a terminal, a log, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from objproc_client.answers import FeedEvent, Progress, Submission
from objproc_client.command import exits
from objproc_client.command.screen import Screen, percent

PERCENT_STEP = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the work on one object ended here: over, only submitted, or with an error."""

    name: str
    object_id: str | None = None
    progress: Progress | None = None
    error: Exception | None = None

    @property
    def state(self) -> str:
        """Say it in one word."""
        if self.progress is not None:
            return self.progress.state
        return "NOT SUBMITTED" if self.object_id is None else "UNKNOWN"

    @property
    def exit_code(self) -> int:
        """Tell what the command should return for this object alone."""
        if self.error is not None:
            return exits.exit_and_advice(self.error)[0]
        return exits.COMPLETED if self.progress is None else exits.exit_of(self.progress)


class Reporter(Protocol):
    """Is told about every object, by its name."""

    def uploading(self, name: str, sent: int, size: int) -> None:
        """`sent` of `size` bytes are on the server."""

    def submitted(self, name: str, submission: Submission) -> None:
        """The object exists."""

    def happened(self, name: str, event: FeedEvent) -> None:
        """Something happened to the object."""

    def ended(self, ending: Ending) -> None:
        """Nothing more is going to be told."""


class Silence:
    """Says nothing: programs get JSON lines at the end, and a pipe gets ids."""

    def uploading(self, name: str, sent: int, size: int) -> None:
        """Say nothing."""

    def submitted(self, name: str, submission: Submission) -> None:
        """Say nothing."""

    def happened(self, name: str, event: FeedEvent) -> None:
        """Say nothing."""

    def ended(self, ending: Ending) -> None:
        """Say nothing."""


class Lines:
    """Writes a line for every event, and for every tenth of progress between events."""

    def __init__(self, screen: Screen) -> None:
        """Write to `screen`."""
        self._screen = screen
        self._told: dict[str, float] = {}

    def uploading(self, name: str, sent: int, size: int) -> None:
        """Say nothing: the submission tells that it worked."""

    def submitted(self, name: str, submission: Submission) -> None:
        """Name the object and its plan."""
        self._screen.say(f"{name}: submitted as {submission.object_id} ({', '.join(submission.plan)})")

    def happened(self, name: str, event: FeedEvent) -> None:
        """Write an event's line."""
        progress = event.progress or 0.0
        if event.type == "progress" and progress < self._told.get(name, 0.0) + PERCENT_STEP:
            return
        self._told[name] = progress
        self._screen.say(f"{name}: {percent(event.progress)} {describe(event)}")

    def ended(self, ending: Ending) -> None:
        """Write how it ended."""
        self._screen.say(f"{ending.name}: {ending.state}")


def describe(event: FeedEvent) -> str:
    """Say in a few words what happened."""
    happened = "running" if event.type == "progress" else event.type
    return " ".join(part for part in (event.state, event.operation, happened) if part)
