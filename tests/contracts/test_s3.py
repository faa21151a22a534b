"""The bucket, on a real S3."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from conftest import settings_of
from objproc.errors import TransientError
from objproc.store.s3 import CHUNK_BYTES, PART_BYTES, NotInStoreError, Store, connect_store, key_of

# one client for all: making one takes longer than all that a test does with it
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(servers: dict[str, str]) -> AsyncIterator[Store]:
    """The bucket under test."""
    async with connect_store(settings_of(servers)) as store:
        yield store


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key of the test's own."""
    return key_of("tests", hashlib.sha256(request.node.nodeid.encode()).hexdigest())


async def read(store: Store, key: str, byte_range: str | None = None) -> bytes:
    chunks, length = await store.get(key, byte_range)
    body = b"".join([chunk async for chunk in chunks])
    assert len(body) == length
    return body


@pytest.mark.parametrize("body", [b"", b"hello", bytes(range(256)) * 20])
async def test_what_was_put_is_got(store: Store, key: str, body: bytes) -> None:
    await store.put(key, body, "text/plain")
    assert await read(store, key) == body
    assert await store.size_of(key) == len(body)


async def test_putting_again_replaces(store: Store, key: str) -> None:
    await store.put(key, b"one", "text/plain")
    await store.put(key, b"two", "text/plain")
    assert await read(store, key) == b"two"


@pytest.mark.parametrize(("byte_range", "expected"), [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")])
async def test_a_range_is_got(store: Store, key: str, byte_range: str, expected: bytes) -> None:
    await store.put(key, b"0123456789", "text/plain")
    assert await read(store, key, byte_range) == expected


async def test_large_bytes_come_in_chunks(store: Store, key: str) -> None:
    body = bytes(CHUNK_BYTES) + b"end"
    await store.put(key, body, "application/octet-stream")
    chunks, _ = await store.get(key)
    sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == len(body)
    assert max(sizes) <= CHUNK_BYTES


@pytest.mark.parametrize("size", [0, 5, PART_BYTES, PART_BYTES + 1])
async def test_a_file_goes_there_and_back_also_in_parts(store: Store, key: str, tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"ab" * (size // 2) + b"c" * (size % 2))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    await store.put_file(key, source, "application/octet-stream")
    await store.get_file(key, target, digest)
    assert target.stat().st_size == size
    assert await store.size_of(key) == size


async def test_damaged_bytes_are_not_taken(store: Store, key: str, tmp_path: Path) -> None:
    await store.put(key, b"other", "text/plain")
    with pytest.raises(TransientError, match="have digest"):
        await store.get_file(key, tmp_path / "target", hashlib.sha256(b"meant").hexdigest())


async def test_an_upload_is_seen_only_once_it_is_complete(store: Store, key: str) -> None:
    upload = await store.start_upload(key, "text/plain")
    await upload.add(bytes(PART_BYTES))
    await upload.add(b"tail")
    assert await store.size_of(key) is None
    await upload.complete()
    assert await store.size_of(key) == PART_BYTES + 4


async def test_an_aborted_upload_leaves_nothing(store: Store, key: str) -> None:
    upload = await store.start_upload(key, "text/plain")
    await upload.add(b"part")
    await upload.abort()
    assert await store.size_of(key) is None


async def test_a_copy_is_the_same_bytes(store: Store, key: str) -> None:
    await store.put(key, b"hello", "text/plain")
    await store.copy(key, f"{key}-copy", 5)
    assert await read(store, f"{key}-copy") == b"hello"


async def test_deleted_bytes_are_gone_and_deleting_again_is_fine(store: Store, key: str) -> None:
    await store.put(key, b"hello", "text/plain")
    await store.delete(key)
    await store.delete(key)
    assert await store.size_of(key) is None


async def test_what_is_not_there_is_told_apart(store: Store, key: str, tmp_path: Path) -> None:
    missing = f"{key}-missing"
    with pytest.raises(NotInStoreError):
        await store.get(missing)
    with pytest.raises(NotInStoreError):
        await store.get_file(missing, tmp_path / "target", "")
    with pytest.raises(NotInStoreError):
        await store.copy(missing, key, 1)


async def test_the_bucket_may_be_made_again(store: Store) -> None:
    await store.create_bucket()


async def test_a_server_that_is_away_is_transient(servers: dict[str, str]) -> None:
    async with connect_store(settings_of(servers, s3_endpoint_url="http://127.0.0.1:1")) as away:
        with pytest.raises(TransientError):
            await away.size_of("x")
