"""`python -m simulation.planting`: how many schedules it takes to find each mutant."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys

from simulation.faults import LASTING, LOSSY
from simulation.mutants import MUTANTS, NEEDS_LOSS, planted
from simulation.running import Failed, quiet, run_one

BUDGET = 10_000


def hunt(name: str, budget: int = BUDGET) -> tuple[int, Failed | None]:
    """Schedules until the mutant was found, and by what."""
    quiet()
    switches = LOSSY if name in NEEDS_LOSS else LASTING
    with planted(name):
        for seed in range(budget):
            if (failed := run_one(seed, switches)) is not None:
                return seed + 1, failed
    return budget, None


def hunt_named(name: str) -> tuple[str, int, Failed | None]:
    """The same, for a process of a pool."""
    return name, *hunt(name)


def main() -> int:
    """Plant each mutant in turn; 1 where one lives."""
    parser = argparse.ArgumentParser(prog="simulation.planting", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MUTANTS))
    names = parser.parse_args().names
    alive = 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for name, count, failed in pool.imap_unordered(hunt_named, names, chunksize=1):
            alive += failed is None
            told = failed.reason[:100] if failed else "LIVES"
            sys.stdout.write(f"{name:<60} {count:>6}  {told}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(names) - alive} of {len(names)} mutants killed within {BUDGET} schedules\n")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
