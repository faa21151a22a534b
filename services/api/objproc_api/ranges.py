"""Byte ranges of a download (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import NamedTuple

from objproc_api.problems import Problem

ONE_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*")


class ByteRange(NamedTuple):
    """First and last byte, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.last - self.first + 1

    @property
    def header(self) -> str:
        """As a request header says it."""
        return f"bytes={self.first}-{self.last}"


def range_of(header: str | None, size: int) -> ByteRange | None:
    """The part asked for; None for the whole, which also answers what is malformed or has several parts.

    416 `range_not_satisfiable` where the part lies beyond the end.
    """
    found = ONE_RANGE.fullmatch(header) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        wanted = ByteRange(max(0, size - int(found[2])), size - 1)
        is_there = int(found[2]) > 0 and size > 0
    else:
        first, last = int(found[1]), int(found[2] or size)
        if last < first and found[2]:
            return None
        wanted, is_there = ByteRange(first, min(last, size - 1)), first < size
    if not is_there:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "range_not_satisfiable", f"there are {size} bytes", headers=headers)
    return wanted
