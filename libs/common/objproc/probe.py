"""`python -m objproc.probe`: exit code 0 while every loop of the process that owns LIVENESS_DIR goes round."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from objproc.liveness import overdue_in


def main() -> int:
    """0: it lives. 1: a loop stands still, or none has begun. 2: nobody said where to look."""
    name = os.environ.get("LIVENESS_DIR")
    if not name:
        sys.stderr.write("objproc.probe: LIVENESS_DIR is not set\n")
        return 2
    folder = Path(name)
    if not folder.is_dir() or not any(folder.iterdir()):
        sys.stderr.write(f"objproc.probe: no loop has begun in {folder}\n")
        return 1
    stuck = overdue_in(folder)
    if stuck:
        sys.stderr.write(f"objproc.probe: no pass of {', '.join(stuck)}\n")
    return 1 if stuck else 0


if __name__ == "__main__":
    sys.exit(main())
