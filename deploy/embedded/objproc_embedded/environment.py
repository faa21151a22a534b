"""The person's own settings: the environment, and below it `.env` in the current folder, as services read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def own_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """`.env`, over it the environment, over it `more`; an empty value in `more` takes a name away."""
    from_file = {name: value for name, value in dotenv_values(Path(".env")).items() if value is not None}
    merged = {**from_file, **os.environ, **(more or {})}
    return {name: value for name, value in merged.items() if value or name not in (more or {})}


def has_one_of(environment: Mapping[str, str], wanted: tuple[str, ...]) -> bool:
    """Whether one of the wanted names has a value."""
    return any(environment.get(name) for name in wanted)
