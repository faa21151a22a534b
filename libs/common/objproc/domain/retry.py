"""When a failed attempt is tried again: exponential, capped, with jitter derived from the task."""

from __future__ import annotations

import zlib
from datetime import timedelta

from objproc.domain.limits import RETRY_BASE_MS, RETRY_CAP_MS


def backoff(object_id: str, operation: str, failures: int) -> timedelta:
    """The pause after the `failures`-th failure (1, 2, …): half fixed, half jitter, the same on every replay."""
    ceiling_ms = min(RETRY_CAP_MS, RETRY_BASE_MS << min(failures - 1, 20))
    chance = zlib.crc32(f"{object_id}:{operation}:{failures}".encode()) / 0xFFFFFFFF
    return timedelta(milliseconds=int(ceiling_ms * (0.5 + chance / 2)))
