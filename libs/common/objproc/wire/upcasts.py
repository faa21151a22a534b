"""Lifting old versions while reading: pure functions, each with a golden file in tests/wire.

An event that changes shape gets a new version number in VERSIONS and an upcast from the one before:

    @upcast("OperationQueued", 1)
    def _queued_got_a_pool(data): return {**data, "pool": "default"}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]
Upcast = Callable[[Data], Data]

VERSIONS: dict[str, int] = {}
"""Current version of each event type; 1 where it is not named."""

_upcasts: dict[tuple[str, int], Upcast] = {}


def upcast(event_type: str, version: int) -> Callable[[Upcast], Upcast]:
    """Register the decorated function as the step from `version` of `event_type` to the next one."""

    def register(function: Upcast) -> Upcast:
        _upcasts[event_type, version] = function
        return function

    return register


def lift(event_type: str, version: int, data: Data) -> Data:
    """`data` as the current version has it. KeyError where a step is missing."""
    while version < VERSIONS.get(event_type, 1):
        data = _upcasts[event_type, version](data)
        version += 1
    return data
