"""Which process a pid meant: pids are used again, a pid together with its start is not."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path


def start_mark(pid: int) -> str | None:
    """What tells this process from a later one of the same pid; None once it is gone (or only unreaped)."""
    return _linux_mark(pid) if platform.system() == "Linux" else _posix_mark(pid)


def is_same(pid: int, mark: str) -> bool:
    """Whether the process that had this mark still runs."""
    return start_mark(pid) == mark


def _linux_mark(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the name, second of the fields, may hold blanks and brackets; what follows its last bracket may not
    fields = stat[stat.rindex(")") + 2 :].split()
    state, started_ticks = fields[0], fields[19]
    if state in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{started_ticks}"


def _posix_mark(pid: int) -> str | None:
    listed = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = listed.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None
