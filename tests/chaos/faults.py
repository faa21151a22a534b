"""The faults. Each strikes once and answers whether it met anything."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from chaos.field import LEASE_MS, REPLICAS, ROLES, Field

MEETS_WITHIN_S = 3.0
Fault = Callable[[Field], Awaitable[bool]]


async def kill_one_of_ours(field: Field) -> bool:
    """kill -9 of any role."""
    name, at = field.replica(), time.time()
    if not field.kill_ours(name):
        return False
    field.note("kill", name.partition("-")[0], at)
    return True


async def freeze_beyond_the_lease(field: Field) -> bool:
    """SIGSTOP for longer than the lease, then SIGCONT: what it held has new owners meanwhile."""
    name = f"{field.chance.choice(ROLES[1:])}-{field.chance.randint(1, REPLICAS)}"
    before, at = field.stack.pids(name), time.time()
    if not before:
        return False
    field.stack.kill(name, signal.SIGSTOP)
    try:
        await asyncio.sleep(LEASE_MS / 1000 * field.chance.uniform(1.3, 2.5))
        is_met = field.stack.pids(name) == before
    finally:
        field.stack.kill(name, signal.SIGCONT)
    if is_met:
        field.note("freeze", name.partition("-")[0], at)
    return is_met


async def kill_redis(field: Field) -> bool:
    """kill -9 of Valkey; it is started again."""
    at = time.time()
    if is_met := field.kill_server("valkey", signal.SIGKILL):
        field.note("redis kill", "redis", at)
    return is_met


async def restart_postgres(field: Field) -> bool:
    """A fast or an immediate shutdown of PostgreSQL; it is started again."""
    at, number = time.time(), field.chance.choice([signal.SIGINT, signal.SIGQUIT])
    if is_met := field.kill_server("postgres", number):
        field.note("postgres restart", "postgres", at)
    return is_met


async def kill_s3(field: Field) -> bool:
    """kill -9 of the object store; it is started again."""
    at = time.time()
    if is_met := field.kill_server("s3", signal.SIGKILL):
        field.note("s3 kill", "s3", at)
    return is_met


def away(part: str, how: str, seconds: tuple[float, float]) -> Fault:
    """The server stalls, refuses, or answers 503, for some seconds."""

    async def strike(field: Field) -> bool:
        proxy, at = field.proxies[part], time.time()
        hits = proxy.hits
        {"stall": proxy.stall, "refuse": proxy.refuse, "503": proxy.answer_503}[how]()
        await asyncio.sleep(field.chance.uniform(*seconds))
        proxy.heal()
        if proxy.hits > hits:
            field.note(f"{part} {how}", part, at)
        return proxy.hits > hits

    return strike


def cut(part: str, kind: str, after_bytes: tuple[int, int]) -> Fault:
    """The next few replies break off in the middle, or never come although the server did what was asked."""

    async def strike(field: Field) -> bool:
        proxy, at = field.proxies[part], time.time()
        hits, deadline = proxy.hits, time.monotonic() + MEETS_WITHIN_S
        proxy.cut_replies(field.chance.randint(1, 4), field.chance.randint(*after_bytes))
        while proxy.hits == hits and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if proxy.hits > hits:
            field.note(f"{part} {kind}", part, at)
        return proxy.hits > hits

    return strike


async def fail_over_to_an_older_replica(field: Field) -> bool:
    """Valkey comes back with its append-only file as it was some seconds ago: a suffix of every log is lost."""
    live: Path = field.servers.folder.path / "valkey" / "appendonlydir"
    older = live.with_name("appendonlydir.older")
    copied_at = await asyncio.to_thread(copy_consistently, live, older)
    await asyncio.sleep(field.chance.uniform(0.5, 3))
    at = time.time()
    await field.servers.stop("valkey")
    shutil.rmtree(live)
    older.rename(live)
    await field.servers.start("valkey")
    field.forgiven.append((copied_at - 1, time.time()))
    field.note("failover that loses a suffix", "redis", at)
    return True


def copy_consistently(live: Path, older: Path) -> float:
    """Copy the folder while the server writes to it; again where its list of files changed meanwhile."""
    while True:
        shutil.rmtree(older, ignore_errors=True)
        started_at = time.time()
        manifests = {path.name: path.read_bytes() for path in live.glob("*.manifest")}
        try:
            shutil.copytree(live, older)
        except (OSError, shutil.Error):
            continue
        if manifests == {path.name: path.read_bytes() for path in live.glob("*.manifest")}:
            return started_at


GROUPS: Mapping[str, tuple[Fault, ...]] = {
    "kills of ours": (kill_one_of_ours,),
    "freezes beyond the lease": (freeze_beyond_the_lease,),
    "kills of Redis": (kill_redis,),
    "restarts of PostgreSQL": (restart_postgres,),
    "faults of S3": (
        kill_s3,
        away("s3", "stall", (2, 6)),
        away("s3", "503", (1, 4)),
        cut("s3", "torn", (40, 700)),
        cut("s3", "reset after success", (0, 0)),
    ),
    "connection faults": (
        cut("redis", "cut mid-reply", (1, 40)),
        cut("redis", "reset after success", (0, 0)),
        cut("postgres", "cut mid-reply", (1, 60)),
        cut("postgres", "reset after success", (0, 0)),
        away("redis", "stall", (1, 5)),
        away("redis", "refuse", (0.5, 3)),
        away("postgres", "stall", (1, 5)),
        away("postgres", "refuse", (0.5, 3)),
    ),
    "failovers that lose a suffix": (fail_over_to_an_older_replica,),
}
