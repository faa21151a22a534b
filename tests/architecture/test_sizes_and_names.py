"""The size law, and names that mean nothing."""

from __future__ import annotations

import statistics

import pytest

from architecture.tree import ROOT, files, name_of, toml

LINES_MAX = 400
MEDIAN_LINES_MAX = 150
ROOT_LINES_MAX = 60  # of a composition root
NAMES_OF_NOTHING = {"util", "utils", "helper", "helpers", "misc", "manager", "managers", "base", "common", "stuff"}
SOURCE = (".py", ".lua", ".sql", ".ts", ".js", ".css", ".html", ".sh", ".yaml", ".yml")


def lines_in(path: object) -> int:
    return len(path.read_text().splitlines())  # type: ignore[attr-defined]


def test_no_file_is_longer_than_anyone_reads() -> None:
    long = {name_of(path): count for path in files(*SOURCE) if (count := lines_in(path)) > LINES_MAX}
    assert not long


def test_the_median_module_is_short() -> None:
    counts = [count for path in files(".py", parts=("libs", "services", "deploy")) if (count := lines_in(path))]
    assert statistics.median(counts) < MEDIAN_LINES_MAX


def test_a_composition_root_fits_on_a_screen() -> None:
    roots = [path for path in files(".py", parts=("services",)) if path.name == "__main__.py"]
    assert len(roots) == 4
    assert not {name_of(path): count for path in roots if (count := lines_in(path)) > ROOT_LINES_MAX}


def test_no_module_has_a_name_that_says_nothing() -> None:
    modules = [path for path in files(".py", ".lua", ".sql", ".ts", ".js") if path.stem in NAMES_OF_NOTHING]
    packages = [
        path.parent for path in files(".py") if path.name == "__init__.py" and path.parent.name in NAMES_OF_NOTHING
    ]
    assert not [name_of(path) for path in modules + packages]


def test_the_linter_holds_functions_to_forty_statements() -> None:
    lint = toml(ROOT / "pyproject.toml")["tool"]["ruff"]["lint"]
    assert lint["pylint"]["max-statements"] == 40
    assert "PLR0915" in lint["select"]
    assert not [codes for codes in lint["per-file-ignores"].values() if "PLR0915" in codes]


@pytest.mark.parametrize("word", ["noqa", "type: ignore"])
def test_a_check_is_only_silenced_by_name(word: str) -> None:
    blanket = [
        f"{name_of(path)}:{number}"
        for path in files(".py")
        if path.name != "test_sizes_and_names.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if f"# {word}" in line and not line.split(f"# {word}", 1)[1].startswith((":", "["))
    ]
    assert not blanket
