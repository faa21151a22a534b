"""What the texts of options mean."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

PathValue = tuple[tuple[str, ...], Any]


def names(text: str) -> tuple[str, ...]:
    """Read `a,b`."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise ArgumentTypeError("give at least one name")
    return found


def json_value(text: str) -> Any:
    """Read JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no JSON: {error}") from None


def path_value(text: str) -> PathValue:
    """Read `a.b=VALUE`; a value that is no JSON is text."""
    path, equals, value = text.partition("=")
    steps = tuple(path.split("."))
    if not equals or not all(steps):
        raise ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    try:
        return steps, json.loads(value)
    except ValueError:
        return steps, value


def moment(text: str) -> datetime:
    """Read an RFC 3339 time; without a zone it is local."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time like 2030-01-31T12:00:00Z") from None


def merged(whole: Mapping[str, Any], parts: Sequence[PathValue]) -> dict[str, Any]:
    """Put values at their paths into a mapping; ValueError where a path leads through something else."""
    result: dict[str, Any] = deepcopy(dict(whole))
    for (*folders, last), value in parts:
        place = result
        for step in folders:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise ValueError(f"{'.'.join([*folders, last])}: {step} is a value already")
        place[last] = value
    return result
