"""How the command ends, and what it says then."""

from __future__ import annotations

from objproc_client.answers import Progress
from objproc_client.errors import (
    AddressError,
    ConflictError,
    DeniedError,
    DigestError,
    InvalidError,
    NotFoundError,
    ObjprocError,
    ProtocolError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)

COMPLETED = 0
FAILED = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130
BROKEN_PIPE = 141

ANOTHER_SERVER = "Start a server with `objproc up`, or name another one with --url or OBJPROC_URL."

EXIT_AND_ADVICE: tuple[tuple[type[Exception], int, str], ...] = (
    (AddressError, USAGE, "Correct --url or OBJPROC_URL."),
    (UnreachableError, UNREACHABLE, ANOTHER_SERVER),
    (UnavailableError, UNREACHABLE, "Try again shortly; `objproc status` shows what is missing."),
    (DigestError, FAILED, "Nothing was kept; download it again."),
    (ProtocolError, UNREACHABLE, ANOTHER_SERVER),
    (InvalidError, USAGE, "Correct what is named above; `objproc operations` lists what can run."),
    (NotFoundError, FAILED, "`objproc list` shows the objects there are."),
    (ConflictError, FAILED, "`objproc show ID` tells its state; an active object is deleted with --force."),
    (DeniedError, FAILED, "Put a key with the right to do this into OBJPROC_API_KEY."),
    (ThrottledError, FAILED, "The server asks for fewer calls: try again later."),
    (ObjprocError, FAILED, "`objproc status` shows whether the server is well."),
    (OSError, USAGE, "Check the file's name and its permissions."),
)
EXPECTED = (ObjprocError, OSError)
"""What a caller can do something about; anything else is a bug and shows its traceback."""


def exit_and_advice(error: Exception) -> tuple[int, str]:
    """Tell an expected error's exit code, and what to do now."""
    return next((code, advice) for kind, code, advice in EXIT_AND_ADVICE if isinstance(error, kind))


def exit_of(progress: Progress) -> int:
    """Tell the exit code of an object that is over."""
    return COMPLETED if progress.state == "COMPLETED" else FAILED
