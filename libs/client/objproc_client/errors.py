"""What can go wrong, and what the caller must do then.

ObjprocError
├── AddressError            the server's address cannot be one: correct it
├── UnreachableError        no answer, or it broke off: again later, or at another address
├── ProtocolError           an answer that is not this API's: check the address and the versions
│   └── DigestError         the bytes are not the artifact's: download again
└── ProblemError            the server refused and says why (RFC 9457)
    ├── InvalidError        400, 413, 415, 422: correct the call; `errors` points at the fields
    ├── DeniedError         401, 403: another key, or ask for the right
    ├── NotFoundError       404, 410: there is no such thing
    ├── ConflictError       409, 412: the object's state forbids it: look again, then decide
    ├── ThrottledError      429: slower
    └── UnavailableError    502, 503, 504: again later
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

DETAIL_CHARS_MAX = 500


class ObjprocError(Exception):
    """Everything this client raises by itself."""


class AddressError(ObjprocError):
    """The server's address cannot be one: correct it."""


class UnreachableError(ObjprocError):
    """Nothing answered at `url` within all attempts: again later, or at another address."""

    def __init__(self, url: str, reason: str) -> None:
        """`reason` is what the last attempt met."""
        super().__init__(f"{url} does not answer: {reason}")
        self.url = url
        self.reason = reason


class ProtocolError(ObjprocError):
    """An answer that is not this API's: check the address and the versions."""


class DigestError(ProtocolError):
    """The bytes that came are not the artifact's: download again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """One invalid field; `pointer` is a JSON pointer into the body that was sent."""

    pointer: str
    detail: str


class ProblemError(ObjprocError):
    """The server refused; `code` is stable, `detail` is for people."""

    def __init__(self, status: int, code: str, detail: str, errors: tuple[FieldFault, ...] = ()) -> None:
        """Take what the problem document says."""
        super().__init__("\n".join([detail, *(f"  {fault.pointer}: {fault.detail}" for fault in errors)]))
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.raw: dict[str, Any] = {}


class InvalidError(ProblemError):
    """Correct the call; `errors` points at the fields."""


class DeniedError(ProblemError):
    """Use another key, or ask for the right."""


class NotFoundError(ProblemError):
    """There is no such thing."""


class ConflictError(ProblemError):
    """The object's state forbids it: look again, then decide."""


class ThrottledError(ProblemError):
    """Too many calls: slower."""


class UnavailableError(ProblemError):
    """The server, or what it leans on, is not ready: again later."""


CLASS_BY_STATUS: dict[int, type[ProblemError]] = {
    **dict.fromkeys((400, 413, 415, 422), InvalidError),
    **dict.fromkeys((401, 403), DeniedError),
    **dict.fromkeys((404, 410), NotFoundError),
    **dict.fromkeys((409, 412), ConflictError),
    429: ThrottledError,
    **dict.fromkeys((502, 503, 504), UnavailableError),
}


def problem_of(response: httpx.Response) -> ProblemError:
    """Make the error of a refusing answer, which need not be a problem document (gateways write their own)."""
    status = response.status_code
    try:
        raw = response.json()
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        raw = {}
    detail = raw.get("detail") or raw.get("title") or f"{status} {response.reason_phrase}".strip()
    faults = raw.get("errors")
    error = CLASS_BY_STATUS.get(status, ProblemError)(
        status,
        str(raw.get("code") or f"http_{status}"),
        str(detail)[:DETAIL_CHARS_MAX],
        tuple(
            FieldFault(pointer=str(fault.get("pointer", "")), detail=str(fault.get("detail", "")))
            for fault in (faults if isinstance(faults, list) else [])
            if isinstance(fault, dict)
        ),
    )
    error.raw = raw
    return error
