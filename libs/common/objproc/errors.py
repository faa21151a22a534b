"""The error tree: an error's class says what the caller must do.

ObjprocError
├── TransientError      again later: a server is away, busy, or not ready
│   ├── ConflictError   somebody else went first: load anew, then decide again
│   ├── OverloadedError the server is full: less new work first
│   └── UnconfirmedError  written, but not as safely as was promised: repeat it under the same key
└── PermanentError      tell a person: repeating changes nothing
    ├── LogBrokenError  the log is not the one this reader knew: the partition stands still
    └── SetupError      the installation contradicts itself (partitions, schema, credentials)

Anything else is a bug: the process dies, and what it held is taken over.
"""

from __future__ import annotations


class ObjprocError(Exception):
    """Root of the tree."""


class TransientError(ObjprocError):
    """Again later."""


class ConflictError(TransientError):
    """Somebody else went first: load anew."""


class OverloadedError(TransientError):
    """The server is full: less new work first."""


class UnconfirmedError(TransientError):
    """Written, but not as safely as `level` promises: repeat it under the same key."""

    def __init__(self, reason: str, level: str) -> None:
        super().__init__(reason)
        self.level = level


class PermanentError(ObjprocError):
    """Tell a person."""


class LogBrokenError(PermanentError):
    """A gap, a wrong hash or an unknown event: nothing of the partition is skipped, so it stands still."""

    def __init__(self, partition: int, seq: int, reason: str) -> None:
        super().__init__(f"partition {partition} at commit {seq}: {reason}")
        self.partition = partition
        self.seq = seq


class SetupError(PermanentError):
    """The installation contradicts itself."""
