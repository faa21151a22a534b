"""The repository as files."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PARTS = ("libs", "services", "deploy", "tests")
DISTRIBUTIONS = sorted(path for part in PARTS for path in (ROOT / part).glob("*/pyproject.toml"))
NOT_WRITTEN_BY_HAND = {"__pycache__", "node_modules", "golden", "recorded", "dist", "build", "static"}


def files(*suffixes: str, parts: tuple[str, ...] = PARTS) -> Iterator[Path]:
    """Every file that somebody wrote, with one of these suffixes."""
    for part in parts:
        for path in sorted((ROOT / part).rglob("*")):
            if path.suffix in suffixes and not NOT_WRITTEN_BY_HAND & set(path.relative_to(ROOT).parts):
                yield path


def name_of(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax of a Python file."""
    return ast.parse(path.read_text(), filename=str(path))


def imports_of(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of each import; the name is empty where a whole module is imported."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def toml(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text())
