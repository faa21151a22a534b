"""Running schedules: on all cores, with a report of the first that fails."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import time
import traceback
from dataclasses import dataclass

from simulation.faults import Switches
from simulation.world import World, line_of

CHUNK = 50
TELL_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Failed:
    """A schedule that broke a law."""

    seed: int
    reason: str
    trace: str


def run_one(seed: int, switches: Switches | None = None) -> Failed | None:
    """One schedule; what went wrong, if anything did."""
    world = World(seed, switches)
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - whatever a schedule raises is its finding
        lines = [line_of(entry) for entry in world.trace]
        where = "".join(traceback.format_exception(error)[-3:])
        return Failed(seed, f"{type(error).__name__}: {error}", "\n".join([*lines, where]))
    return None


def quiet() -> None:
    """Roles tell of every fault they meet; here nobody reads that."""
    logging.getLogger("objproc").setLevel(logging.CRITICAL + 1)


def run_chunk(seeds: range) -> tuple[int, Failed | None]:
    """Schedules one after the other, until one fails."""
    quiet()
    for count, seed in enumerate(seeds, 1):
        if (failed := run_one(seed)) is not None:
            return count, failed
    return len(seeds), None


def run_many(first: int, schedules: int) -> int:
    """All of them; the exit code."""
    chunks = [range(at, min(at + CHUNK, first + schedules)) for at in range(first, first + schedules, CHUNK)]
    began, done = time.monotonic(), 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for count, failed in pool.imap_unordered(run_chunk, chunks):
            done += count
            if done % TELL_EVERY == 0:
                sys.stderr.write(f"{done} schedules, {done / (time.monotonic() - began):.0f}/s\n")
            if failed is not None:
                pool.terminate()
                tell(failed)
                return 1
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{done} schedules clean, seeds {first} to {first + schedules - 1}, {seconds:.1f} s, {done / seconds:.0f}/s\n"
    )
    return 0


def tell(failed: Failed) -> None:
    """What failed, what happened before, and how to see it again."""
    sys.stdout.write(
        f"{failed.trace}\n\nseed {failed.seed}: {failed.reason}\nreplay: make simulate SEED={failed.seed}\n"
    )


def replay(seed: int) -> int:
    """One schedule, told step by step; the exit code."""
    world = World(seed, on_line=lambda line: sys.stdout.write(line + "\n") and None)
    sys.stdout.write(f"seed {seed}: {world.faults}\n")
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - as in run_one
        traceback.print_exception(error, file=sys.stdout)
        sys.stdout.write(f"\nseed {seed}: {type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(f"seed {seed}: clean\n")
    return 0
