"""The five-operation no-op chain on the idle embedded stack: latency of one object, throughput of many at once.

`python -m bench.idle [OBJECTS]` prints a table and one line of JSON; medians of three runs.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

import aiohttp
import asyncpg

from objproc_embedded.stack import Stack

LATENCY_OBJECTS = 200
CONNECTIONS = 64
RUNS = 3
SETTINGS = {
    "OPERATION_MODULES": "bench.noop_chain",
    "PYTHONPATH": str(Path(__file__).parents[1]),
    "REDIS_URL": "",
    "DATABASE_URL": "",
    "S3_ENDPOINT_URL": "",
}


async def one_chain(http: aiohttp.ClientSession, number: int) -> float:
    """Milliseconds from POST to the terminal SSE event of one object."""
    started = time.perf_counter()
    body = {"identifier": f"one-{number}", "operations": ["noop5"]}
    async with http.post("/api/v1/process", json=body) as answer:
        stream = (await answer.json())["links"]["stream"]
    async with http.get(stream) as events:
        async for line in events.content:
            if line.strip() == b"event: ObjectCompleted":
                return (time.perf_counter() - started) * 1000
    raise RuntimeError("the stream ended without ObjectCompleted")


async def many_chains(http: aiohttp.ClientSession, database: asyncpg.Connection, name: str, objects: int) -> float:
    """Objects a second, from the first POST until PostgreSQL has all of them COMPLETED."""
    gate = asyncio.Semaphore(CONNECTIONS)

    async def submit(number: int) -> None:
        async with gate:
            body = {"identifier": f"{name}-{number}", "operations": ["noop5"]}
            async with http.post("/api/v1/process", json=body) as answer:
                answer.raise_for_status()

    started = time.perf_counter()
    await asyncio.gather(*(submit(number) for number in range(objects)))
    query = "SELECT count(*) FROM objects WHERE state = 'COMPLETED' AND identifier LIKE $1 || '-%'"
    while await database.fetchval(query, name) < objects:
        await asyncio.sleep(0.02)
    return objects / (time.perf_counter() - started)


async def main(objects: int) -> None:
    """Run and print."""
    async with Stack(env=SETTINGS) as stack, aiohttp.ClientSession(stack.url) as http:
        database = await asyncpg.connect(stack.env["DATABASE_URL"])
        for number in range(20):
            await one_chain(http, -number)
        chains = sorted([await one_chain(http, number) for number in range(LATENCY_OBJECTS)])
        rates = [await many_chains(http, database, f"run{run}", objects) for run in range(RUNS)]
        await database.close()
    p50, p99 = chains[len(chains) // 2], chains[int(len(chains) * 0.99)]
    rate = statistics.median(rates)
    print(f"one chain of five, POST to terminal SSE event: p50 {p50:.1f} ms, p99 {p99:.1f} ms ({len(chains)} objects)")
    print(f"{objects} objects at once: {rate:.0f} objects/s (runs: {', '.join(f'{each:.0f}' for each in rates)})")
    print(json.dumps({"p50_ms": round(p50, 1), "p99_ms": round(p99, 1), "objects_per_s": round(rate), "runs": rates}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
