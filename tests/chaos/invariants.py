"""The invariant checker: I1 to I12 over a client's journal, PostgreSQL, Redis and S3.

`python -m chaos.invariants [--data FOLDER] [--journal FILE]` checks the servers of the environment (DATABASE_URL,
REDIS_URL, S3_…), or those of an embedded data folder, which are started where nobody runs them. Exit code 1 with the
first violations named. Without a journal I1, I8 and I10 have nothing to look at.
"""

# ruff: noqa: T201 - a command prints
from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from chaos.archive import Known, check_archive
from chaos.findings import Findings
from chaos.journal import Journal
from chaos.promises import check_promises
from chaos.rest import check_leftovers, rest
from chaos.stored import check_store
from objproc.settings import Settings
from objproc.store.s3 import connect_store
from objproc.streams.connection import connect
from objproc_embedded.errors import FolderInUseError
from objproc_embedded.record import Record
from objproc_embedded.seaweed import ACCESS_KEY, BUCKET, REGION
from objproc_embedded.servers import Servers

OWN_SERVERS = {"DATABASE_URL": "", "REDIS_URL": "", "S3_ENDPOINT_URL": "", "S3_BUCKET": ""}


@dataclass(kw_only=True)
class Verdict:
    """What the checker found."""

    findings: Findings
    known: Known
    lost: int
    rested_s: float

    @property
    def duplicated(self) -> int:
        """Effects that took place twice."""
        return sum(len(self.findings.wrong[name]) for name in ("I3", "I10")) + sum(
            "again" in text or "second" in text for text in self.findings.wrong["I2"]
        )


async def verify(env: Mapping[str, str], journal: Journal, since_s: float | None = None) -> Verdict:
    """Wait for rest, then check everything. `since_s` (monotonic): when the last fault ended."""
    findings = Findings()
    async with AsyncExitStack() as stack:
        connection = await asyncpg.connect(env["DATABASE_URL"])
        stack.push_async_callback(connection.close)
        redis = connect(env["REDIS_URL"])
        stack.push_async_callback(redis.aclose)
        store = await stack.enter_async_context(connect_store(settings_of(env)))
        rested_s = await rest(connection, redis, time.monotonic() if since_s is None else since_s, findings)
        watched = {sighting.object_id for sighting in journal.sightings}
        known = await check_archive(connection, redis, watched, findings)
        lost = check_promises(journal, known, findings) if known.is_whole else 0
        await check_store(store, known, findings)
        await check_leftovers(connection, redis, findings)
    return Verdict(findings=findings, known=known, lost=lost, rested_s=rested_s)


def settings_of(env: Mapping[str, str]) -> Settings:
    """The settings of a service in that environment."""
    known = {name: env[name.upper()] for name in Settings.model_fields if env.get(name.upper())}
    return Settings(_env_file=None, **known)  # type: ignore[call-arg]


@asynccontextmanager
async def servers_of(data: Path | None) -> AsyncIterator[Mapping[str, str]]:
    """The environment's servers, or those of a data folder: started, unless a running stack has it."""
    if data is None:
        yield os.environ
        return
    try:
        async with Servers(data, env=OWN_SERVERS) as servers:
            yield servers.env
    except FolderInUseError:
        yield running_in(data)


def running_in(data: Path) -> dict[str, str]:
    """How to reach the servers of a stack that runs in this folder."""
    record = Record(data / "stack.json")
    return {
        "REDIS_URL": f"redis://:{record.secret('valkey')}@127.0.0.1:{record.port('valkey')}/0",
        "DATABASE_URL": f"postgresql://objproc:{record.secret('postgres')}@127.0.0.1:{record.port('postgres')}/objproc",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{record.port('s3.port')}",
        "S3_BUCKET": BUCKET,
        "S3_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": record.secret("s3"),
    }


async def main(data: Path | None, journal: Journal) -> int:
    """Check and print; the exit code."""
    try:
        async with servers_of(data) as env:
            verdict = await verify(env, journal)
    except (asyncpg.UndefinedTableError, KeyError) as error:
        print(f"nothing to check: {error} (DATABASE_URL, REDIS_URL, S3_… or --data name servers that objproc has used)")
        return 2
    print("\n".join(verdict.findings.lines()))
    print(f"{verdict.known.commits} commits, {len(verdict.known.states)} objects, {verdict.lost} acknowledged lost")
    return 0 if verdict.findings.is_clean else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make verify-invariants", description="Check the invariants I1 to I12.")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="an embedded data folder, such as .data")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="what a client was told, as `make chaos` wrote it")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    journal_of_client = Journal.load(asked.journal) if asked.journal else Journal()
    sys.exit(asyncio.run(main(asked.data, journal_of_client)))
