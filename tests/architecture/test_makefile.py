"""`make` lists what can be made."""

from __future__ import annotations

import re
import subprocess

import pytest

from architecture.tree import ROOT

TEXT = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*## (.+)$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def listing() -> str:
    """What plain `make` prints."""
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


@pytest.mark.parametrize(("target", "purpose"), TARGETS, ids=[name for name, _ in TARGETS])
def test_a_target_is_listed_with_its_purpose(listing: str, target: str, purpose: str) -> None:
    assert re.search(rf"^\s*(make )?{target}\s+{re.escape(purpose)}$", listing, re.MULTILINE)


def test_every_phony_target_is_documented() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", TEXT, re.MULTILINE)
    assert set(phony.split()) == {name for name, _ in TARGETS}


def test_what_everybody_needs_is_there() -> None:
    assert {"help", "setup", "demo", "test", "lint", "types", "contracts"} <= {name for name, _ in TARGETS}
