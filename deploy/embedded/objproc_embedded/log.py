"""The log file of one child: bounded, and its end for whoever must be told why something failed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

BYTES_MAX = 16 << 20
TAIL_BYTES_MAX = 64 << 10


class Log:
    """Appended to by the child itself, so that it outlives the supervisor; at most two files of BYTES_MAX."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> int:
        """A descriptor for the child's output."""
        self.trim()
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def trim(self) -> None:
        """Put a log that has grown too long aside; the child appends, so it goes on at the new beginning."""
        if self.path.exists() and self.path.stat().st_size > BYTES_MAX:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            os.truncate(self.path, 0)

    def tail(self, lines_max: int) -> list[str]:
        """The last lines."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - TAIL_BYTES_MAX))
            return file.read().decode(errors="replace").splitlines()[-lines_max:]
