"""One embedded stack for all end-to-end tests: real servers, the four services, two replicas of each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from chaos.invariants import verify
from chaos.journal import Journal
from objproc_client import AsyncClient, Retries
from objproc_embedded.stack import Stack

TESTS = Path(__file__).parents[1]

SETTINGS = {
    "OPERATION_MODULES": "e2e.odd_chain,bench.noop_chain",
    "PYTHONPATH": str(TESTS),
    "GRACE_S": "1",
    "HEARTBEAT_MS": "300",
    "LEASE_MS": "1000",
    "CONTENT_BYTES_MAX": str(64 << 20),
    "ARTIFACT_GRACE_S": "0",
    "SWEEP_EVERY_S": "0.5",
    # the embedded servers are meant, whatever the person's own environment names
    "REDIS_URL": "",
    "DATABASE_URL": "",
    "S3_ENDPOINT_URL": "",
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    data = tmp_path_factory.mktemp("stack")
    replicas = dict.fromkeys(("api", "scheduler", "worker", "projector"), 2)
    async with Stack(data, replicas=replicas, env=SETTINGS) as running:
        yield running
        verdict = await verify(running.env, Journal())
        assert verdict.findings.is_clean, "\n".join(verdict.findings.lines())


@pytest_asyncio.fixture(loop_scope="session")
async def client(stack: Stack) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(stack.url, retries=Retries(attempts_max=30)) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def database(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.env["DATABASE_URL"])
    yield connection
    await connection.close()
