"""S3 against what state names: I6, and I11's part in it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

from chaos.archive import Known
from chaos.findings import Findings
from objproc.store.s3 import NotInStoreError, Store, key_of

AT_ONCE = 16
DIGEST = re.compile(r"[0-9a-f]{64}")


async def check_store(store: Store, known: Known, findings: Findings) -> None:
    """Read all bytes that state names; look at the names of all that are there."""
    listed = await _listing(store)
    gate = asyncio.Semaphore(AT_ONCE)

    async def read(tenant: str, sha256: str, size: int) -> None:
        async with gate:
            await _check_bytes(store, key_of(tenant, sha256), sha256, size, findings)

    await asyncio.gather(*(read(tenant, sha256, size) for (tenant, sha256), size in known.bytes_needed.items()))
    for key in listed:
        tenant, _, name = key.partition("/")
        is_ours = tenant in known.tenants and (DIGEST.fullmatch(name) or name.startswith("uploads/"))
        findings.expect("I11", bool(is_ours), f"{key} in S3 is under no tenant of the archive")
    needed = {key_of(tenant, sha256) for tenant, sha256 in known.bytes_needed}
    findings.notes.append(f"{len(listed)} objects in S3, {len(listed - needed)} of them named by no state")


async def _check_bytes(store: Store, key: str, sha256: str, size: int, findings: Findings) -> None:
    findings.look("I6")
    digest, count = hashlib.sha256(), 0
    try:
        chunks, _ = await store.get(key)
        async for chunk in chunks:
            digest.update(chunk)
            count += len(chunk)
    except NotInStoreError:
        findings.blame("I6", f"{key} is not in S3")
        return
    if (count, digest.hexdigest()) != (size, sha256):
        findings.blame("I6", f"{key} has {count} bytes with digest {digest.hexdigest()}, not {size}")


async def _listing(store: Store) -> set[str]:
    client: Any = store._client
    found: set[str] = set()
    async for page in client.get_paginator("list_objects_v2").paginate(Bucket=store._bucket):
        found |= {item["Key"] for item in page.get("Contents", [])}
    return found
