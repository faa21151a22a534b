"""Do this process's loops go round? Each promises by when its next pass ends; `/livez` and `objproc.probe` look.

A promise is a reading of the monotonic clock, which all processes of one machine share, so a wall clock that jumps
kills nobody. In `LIVENESS_DIR`, a folder of the process's own, each loop keeps its promise in a file.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

PASS_S_MAX = 90.0
"""A pass takes no longer: servers that do not answer are given up within 15 s (Redis) and 60 s (PostgreSQL)."""
WRITE_EVERY_S = 1.0
FIGURE = "{:020.3f}"  # of fixed width: written in one piece, so a reader never sees half of it


class Liveness:
    """The promises of one process."""

    def __init__(self) -> None:
        self._promises: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._folder: Path | None = None

    def keep_in(self, folder: Path) -> None:
        """Keep promises in the folder, too; what a process before this one left there goes."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        self._folder = folder

    def promise(self, loop: str, within_s: float) -> None:
        """The loop makes its next pass within that time."""
        now = time.monotonic()
        self._promises[loop] = now + within_s
        if self._folder is not None and now - self._written.get(loop, 0.0) >= WRITE_EVERY_S:
            self._written[loop] = now
            file = os.open(self._folder / loop.replace("/", "_"), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, FIGURE.format(now + within_s).encode(), 0)
            finally:
                os.close(file)

    def end(self, loop: str) -> None:
        """The loop has ended, and promises nothing any more."""
        self._promises.pop(loop, None)
        self._written.pop(loop, None)
        if self._folder is not None:
            (self._folder / loop.replace("/", "_")).unlink(missing_ok=True)

    def overdue(self) -> list[str]:
        """Loops that have broken their promise."""
        now = time.monotonic()
        return sorted(loop for loop, until in self._promises.items() if until < now)


LOOPS = Liveness()
"""Those of this process."""


def overdue_in(folder: Path) -> list[str]:
    """Loops of another process that have broken their promise."""
    now = time.monotonic()
    return sorted(file.name for file in folder.iterdir() if float(file.read_text() or "inf") < now)
