"""Real faults against real servers under a held load, then the invariants.

`python -m chaos.campaign [--long] [--seed N] [--seconds S] [--failovers N] [--keep FOLDER]` prints what was done and
found, and one line of JSON; exit code 1 for any violation.
"""

# ruff: noqa: T201 - a command prints
from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from chaos.caller import Caller
from chaos.faults import GROUPS
from chaos.field import ROLES, Field, running
from chaos.invariants import Verdict, verify
from chaos.journal import Journal
from chaos.load import KINDS_WITH_S3, Load
from chaos.recovery import Sampler, percentiles, recoveries, takeovers
from objproc_embedded.supervisor import tell_stderr

PER_SECOND = 50.0
WARM_S = 5.0
DRAIN_S = 120.0
ATTEMPTS_MAX = 200
SHORT = {
    "kills of ours": 24,
    "freezes beyond the lease": 4,
    "kills of Redis": 4,
    "restarts of PostgreSQL": 3,
    "faults of S3": 5,
    "connection faults": 12,
}
LONG = {
    "kills of ours": 200,
    "freezes beyond the lease": 20,
    "kills of Redis": 50,
    "restarts of PostgreSQL": 20,
    "faults of S3": 40,
    "connection faults": 100,
}
PAUSE_MEAN_S = {False: 3.6, True: 4.0}


@dataclass(kw_only=True)
class Plan:
    """What is to happen."""

    seed: int
    wanted: dict[str, int]
    pause_mean_s: float
    per_second: float = PER_SECOND


@dataclass(kw_only=True)
class Course:
    """What has happened."""

    struck: Counter[str] = field(default_factory=Counter)
    """Faults that met something, by group."""
    faults_s: float = 0.0
    drained_s: float = 0.0
    told: list[str] = field(default_factory=list)


async def strike_all(field_: Field, plan: Plan, course: Course) -> None:
    """All faults of the plan, in random order at random instants; those that last go on beside the next ones."""
    groups = [group for group, count in plan.wanted.items() for _ in range(count)]
    field_.chance.shuffle(groups)
    started = time.monotonic()
    turns: Counter[str] = Counter()
    under_way: set[asyncio.Task[None]] = set()

    async def strike(group: str) -> None:
        for _ in range(ATTEMPTS_MAX):
            kinds = GROUPS[group]
            turns[group] += 1
            if await kinds[turns[group] % len(kinds)](field_):
                course.struck[group] += 1
                return
            await asyncio.sleep(0.5)

    for group in groups:
        await asyncio.sleep(min(3 * plan.pause_mean_s, field_.chance.expovariate(1 / plan.pause_mean_s)))
        task = asyncio.create_task(strike(group))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    course.faults_s = time.monotonic() - started


async def run(data: Path, plan: Plan, journal: Journal, course: Course) -> tuple[Verdict, Load, Caller, dict[str, Any]]:
    """The campaign."""
    chance = random.Random(plan.seed)
    connector = aiohttp.TCPConnector(limit=0)
    async with running(data, chance, course.told) as field_, aiohttp.ClientSession(connector=connector) as http:
        tell_stderr(f"the stack runs in {data}; {sum(plan.wanted.values())} faults follow")
        caller = Caller(http, field_.stack.urls, random.Random(plan.seed + 1))
        load = Load(caller, journal, random.Random(plan.seed + 2), f"chaos{plan.seed}")
        sampler = Sampler(field_.servers.env["DATABASE_URL"])
        sampling = asyncio.create_task(sampler.run())
        stopping = asyncio.Event()
        sending = asyncio.create_task(load.run(plan.per_second, stopping))
        try:
            await asyncio.sleep(WARM_S)
            await strike_all(field_, plan, course)
        finally:
            for proxy in field_.proxies.values():
                proxy.heal()
            field_.resume()
            stopping.set()
            await sending
        ended = time.monotonic()
        tell_stderr(f"faults off after {course.faults_s:.0f} s; {load.unfinished} clients still wait")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await load.finish()
        course.drained_s = time.monotonic() - ended
        journal.forgiven = field_.forgiven
        journal.save(data / "journal.json")
        (data / "faults.json").write_text(json.dumps(field_.struck, indent=0))
        tell_stderr(f"clients have their answers after {course.drained_s:.1f} s; checking")
        verdict = await verify(field_.servers.env, journal, ended)
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
        faults = [(part, at) for _, part, at in field_.struck]
        times = recoveries(faults, journal.objects.values(), verdict.known, sampler, KINDS_WITH_S3)
        taken = takeovers(field_.worker_kills, verdict.known)
        figures = {
            "kinds": dict(Counter(kind for kind, _, _ in field_.struck)),
            "kills_by_role": dict(Counter(part for kind, part, _ in field_.struck if kind == "kill")),
            "recovery": {part: percentiles(found) for part, found in sorted(times.items())},
            "recovery_all": percentiles([each for found in times.values() for each in found]),
            "takeover": percentiles(taken) | {"tasks": len(taken)},
            "ended_by_themselves": [line for line in course.told if line.startswith(ROLES) and "exit code" in line],
        }
    return verdict, load, caller, figures


def report(
    plan: Plan, course: Course, journal: Journal, verdict: Verdict, load: Load, caller: Caller, figures: dict[str, Any]
) -> None:
    """For people, then one line for machines."""
    print(f"seed {plan.seed}; {sum(load.sent.values())} objects sent at {plan.per_second:.0f}/s: {dict(load.sent)}")
    print(f"faults in {course.faults_s:.0f} s, by group: {dict(course.struck)}")
    print(f"faults by kind: {figures['kinds']}; kills by role: {figures['kills_by_role']}")
    print(f"answers: {dict(caller.answers)}; ended by themselves: {figures['ended_by_themselves']}")
    print(f"recovery until visibly completed again, by part: {figures['recovery']}; all: {figures['recovery_all']}")
    print(f"takeover of a killed worker's tasks: {figures['takeover']}")
    print("\n".join(verdict.findings.lines()))
    for failure, count in Counter(load.failures).most_common(10):
        print(f"client {count} × {failure}")
    acknowledged = len(journal.objects) + len(journal.orders)
    kills = course.struck["kills of ours"]
    print(
        f"{acknowledged} acknowledged ({len(journal.objects)} objects, {len(journal.orders)} orders,"
        f" {sum(map(len, journal.keys.values()))} answers under keys, {len(journal.sightings)} watched),"
        f" {verdict.lost} lost, {verdict.duplicated} duplicated; at rest after {verdict.rested_s:.1f} s"
    )
    if kills and verdict.findings.is_clean:
        print(
            f"rule of three: no failure in {kills} kills says, with 95 % confidence, that fewer than 1 in"
            f" {kills / 3:.0f} such kills loses or repeats anything; it does not say that none ever does"
        )
    line = {
        "seed": plan.seed,
        "faults": dict(course.struck),
        "faults_s": round(course.faults_s),
        "acknowledged": acknowledged,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "violations": {name: len(wrong) for name, wrong in verdict.findings.wrong.items() if wrong},
        "rested_s": round(verdict.rested_s, 1),
        "commits": verdict.known.commits,
        **figures,
    }
    print(json.dumps(line))


def planned(asked: argparse.Namespace) -> Plan:
    """The plan that was asked for; `--seconds` shrinks the short form to that length."""
    wanted = dict(LONG if asked.long else SHORT)
    pause_mean_s = PAUSE_MEAN_S[asked.long]
    if asked.seconds:
        share = asked.seconds / (sum(wanted.values()) * pause_mean_s)
        wanted = {group: max(1, round(count * share)) for group, count in wanted.items()}
    if asked.failovers:
        wanted["failovers that lose a suffix"] = asked.failovers
    return Plan(seed=asked.seed, wanted=wanted, pause_mean_s=pause_mean_s)


def main(asked: argparse.Namespace) -> int:
    """Run, print, and clear up unless something is wrong; the exit code."""
    plan, journal, course = planned(asked), Journal(), Course()
    data = asked.keep or Path(tempfile.mkdtemp(prefix="objproc-chaos-"))
    try:
        verdict, *rest = asyncio.run(run(data, plan, journal, course))
    except BaseException:
        tell_stderr(f"broken off; data and logs are in {data}")
        raise
    report(plan, course, journal, verdict, *rest)
    (data / "supervisor.log").write_text("\n".join(course.told))
    has_waiting = any("still wait" in failure for failure in rest[0].failures)
    # a watcher of an object that a failover took away waits for an end that does not come
    is_good = verdict.findings.is_clean and (not has_waiting or bool(journal.forgiven))
    if is_good and not asked.keep:
        shutil.rmtree(data, ignore_errors=True)
    else:
        tell_stderr(f"data, logs and journal are in {data}")
    return 0 if is_good else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Real faults under a held load.")
    parser.add_argument("--long", action="store_true", default=os.environ.get("LONG", "0") not in {"", "0"})
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or random.randrange(1_000_000)))
    parser.add_argument("--seconds", type=float, help="a shorter course than the short form's")
    parser.add_argument("--failovers", type=int, default=0, help="failovers that lose a suffix")
    parser.add_argument("--keep", type=Path, help="run in this folder and keep it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments()))
