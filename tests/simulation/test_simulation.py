"""A short form of `make simulate` and `make mutants`."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from simulation.planting import hunt
from simulation.running import run_one
from simulation.world import World

SCHEDULES = 150
QUICKLY_FOUND = (
    "pending commands are not met",
    "tasks are queued while a parent still runs",
    "losses are decided before every look has succeeded",
    "the projector passes an event over",
    "withdraw takes a task from its holder",
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("objproc")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


def test_schedules_of_crashes_and_faults_end_well() -> None:
    failed = [found for seed in range(SCHEDULES) if (found := run_one(seed))]
    assert not failed, f"{failed[0].trace}\nreplay: make simulate SEED={failed[0].seed}"


def told(seed: int) -> list[str]:
    """Every line of a schedule."""
    lines: list[str] = []
    World(seed, on_line=lines.append).run()
    return lines


def test_a_seed_tells_the_same_story_again() -> None:
    assert told(7) == told(7)


@pytest.mark.parametrize("name", QUICKLY_FOUND)
def test_a_planted_fault_is_found(name: str) -> None:
    _, failed = hunt(name, 100)
    assert failed is not None
