"""What is installed: pinned, hash-checked, and from wherever the machine gets its packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from architecture.tree import DISTRIBUTIONS, ROOT, toml

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
OURS = {toml(path)["project"]["name"] for path in DISTRIBUTIONS}
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)(\[[a-z0-9,_-]+\])?==(?P<version>[^ ;]+)( ; .+)? \\$")
HASH = re.compile(r"^ {4}--hash=sha256:[0-9a-f]{64}( \\)?$")


def plain(name: str) -> str:
    """A name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> set[str]:
    """Every third-party package that a distribution or the checks ask for."""
    lines = [line for path in DISTRIBUTIONS for line in toml(path)["project"].get("dependencies", [])]
    lines += (ROOT / "requirements" / "dev.in").read_text().splitlines()
    names = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if line and not line.startswith("#")]
    return {plain(name.group()) for name in names if name} - OURS


def pinned(lock: Path) -> set[str]:
    """Every package of a lock."""
    found = (PIN.match(line) for line in lock.read_text().splitlines())
    return {plain(match["name"]) for match in found if match}


def test_there_are_distributions_and_locks() -> None:
    assert len(DISTRIBUTIONS) == 7
    assert [path.name for path in LOCKS] == ["bootstrap.lock", "dev.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: Path) -> None:
    odd = [
        line
        for line in lock.read_text().splitlines()
        if line and not line.lstrip().startswith("#") and not PIN.match(line) and not HASH.match(line)
    ]
    assert not odd


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_a_hash(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    bare = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if PIN.match(line) and not HASH.match(following)
    ]
    assert not bare


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_index_and_no_path_of_a_machine(lock: Path) -> None:
    text = lock.read_text()
    for word in ("://", "--index", "--extra-index", "--find-links", "file:", "/root/", "/home/", "/tmp/", "/work/"):
        assert word not in text


def test_everything_that_is_asked_for_is_pinned() -> None:
    assert not wanted() - pinned(ROOT / "requirements" / "dev.lock")


def test_no_distribution_names_an_address_or_a_path() -> None:
    for path in DISTRIBUTIONS:
        for line in toml(path)["project"].get("dependencies", []):
            assert "@" not in line, f"{path}: {line}"
