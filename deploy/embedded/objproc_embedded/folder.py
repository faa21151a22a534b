"""The data folder: one stack at a time, and nothing left running from an earlier one."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import time
from pathlib import Path

from objproc_embedded.errors import FolderInUseError, StackError
from objproc_embedded.identity import is_same
from objproc_embedded.record import Record

LEFTOVER_GRACE_S = 5.0
POLL_S = 0.02


class DataFolder:
    """A locked data folder with its record; `open` refuses one that is in use."""

    def __init__(self, path: Path, lock: int, record: Record) -> None:
        self.path = path
        self.record = record
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> DataFolder:
        """Make and lock the folder; `FolderInUseError` names the process that has it."""
        path = path.expanduser().resolve()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackError(f"the data folder {path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise FolderInUseError(f"the data folder {path} is in use by process {owner}") from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        try:
            return cls(path, lock, Record(path / "stack.json"))
        except BaseException:
            os.close(lock)
            raise

    def subfolder(self, name: str) -> Path:
        """A folder inside, made when missing, for the owner only."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    async def end_leftovers(self) -> None:
        """End the children of a supervisor that was killed; told by pid and start, never by name."""
        left = {pid: mark for pid, mark in self.record.children().items() if is_same(pid, mark)}
        for pid in left:
            _signal_group(pid, signal.SIGTERM)
        asked_s = time.monotonic()
        while left := {pid: mark for pid, mark in left.items() if is_same(pid, mark)}:
            waited_s = time.monotonic() - asked_s
            if waited_s > 2 * LEFTOVER_GRACE_S:
                raise StackError(f"processes of an earlier run do not end: {sorted(left)}")
            if waited_s > LEFTOVER_GRACE_S:
                for pid in left:
                    _signal_group(pid, signal.SIGKILL)
            await asyncio.sleep(POLL_S)
        for pid in self.record.children():
            self.record.remove_child(pid)
        self.remove_scratch()

    def remove_scratch(self) -> None:
        """Remove what was put outside the data folder."""
        if self.record.scratch():
            for path in self.record.scratch():
                shutil.rmtree(path, ignore_errors=True)
            self.record.set_scratch([])

    def close(self) -> None:
        """Give the folder back."""
        os.close(self._lock)


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
