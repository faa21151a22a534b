"""New ids: of objects and of commands, which carry the time they were made."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from objproc.clock import Clock
from objproc.domain.ids import object_id_at

COMMAND_ID_CHARS = 36


def new_id(clock: Clock) -> str:
    """A UUIDv7 of now."""
    return object_id_at(int(clock.now().timestamp() * 1000), os.urandom(10))


def time_of(name: UUID) -> datetime:
    """When a UUIDv7 was made."""
    return datetime.fromtimestamp((name.int >> 80) / 1000, UTC)
