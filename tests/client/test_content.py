"""What an upload says of its content, and how it reads it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from objproc_client.content import CHUNK_BYTES, Bytes, content_of, media_type_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of several chunks."""
    path = tmp_path / "größe 1.csv"
    path.write_bytes(b"a" * (2 * CHUNK_BYTES + 1))
    return path


def test_a_path_describes_itself(path: Path) -> None:
    assert content_of(path).headers() == {
        "Content-Type": "text/csv",
        "Content-Disposition": "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.csv",
        "Content-Length": str(2 * CHUNK_BYTES + 1),
    }


def test_a_stream_has_neither_name_nor_size() -> None:
    assert content_of(io.BytesIO(b"a")).headers() == {"Content-Type": "application/octet-stream"}


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.NDJSON", "application/x-ndjson"),
        ("a.csv.gz", "application/gzip"),
        ("a.png", "image/png"),
        ("a", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_the_name_tells_the_media_type(name: str | None, media_type: str) -> None:
    assert media_type_of(name) == media_type


@pytest.mark.parametrize(("origin", "is_replayable"), [(b"a", True), (io.BytesIO(b"a"), False), (iter([b"a"]), False)])
def test_only_what_can_be_read_again_is_sent_again(origin: Bytes, is_replayable: bool) -> None:
    assert content_of(origin).is_replayable == is_replayable


def test_files_are_read_in_bounded_chunks(path: Path) -> None:
    assert [len(chunk) for chunk in content_of(path).chunks()] == [CHUNK_BYTES, CHUNK_BYTES, 1]


async def test_the_asynchronous_reading_is_the_same(path: Path) -> None:
    content = content_of(path)
    assert [chunk async for chunk in content.chunks_async()] == list(content.chunks())


async def test_an_asynchronous_stream_is_passed_on() -> None:
    async def numbers() -> AsyncIterator[bytes]:
        yield b"1"
        yield b"2"

    assert [chunk async for chunk in content_of(numbers()).chunks_async()] == [b"1", b"2"]


def test_an_asynchronous_stream_needs_the_asynchronous_client() -> None:
    async def numbers() -> AsyncIterator[bytes]:
        yield b"1"

    with pytest.raises(TypeError, match="AsyncClient"):
        list(content_of(numbers()).chunks())


def test_whoever_wants_is_told_how_much_is_sent(path: Path) -> None:
    told: list[int] = []
    list(content_of(path, on_sent=told.append).chunks())
    assert told == [0, CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1]
