"""`python -m simulation`: many schedules on all cores, or one seed with every step told."""

from __future__ import annotations

import argparse
import sys

from simulation.running import replay, run_many

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay this one")
    options = parser.parse_args()
    if options.seed is not None:
        sys.exit(replay(options.seed))
    sys.exit(run_many(options.first, options.schedules))
