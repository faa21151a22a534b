"""Content to upload: where its bytes come from, and the headers that describe it."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

CHUNK_BYTES = 256 * 1024
OPAQUE = "application/octet-stream"
MEDIA_TYPES_OF_COMPRESSION = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
MEDIA_TYPES_OF_SUFFIXES = {  # what mimetypes lacks, or knows on some systems only
    ".arrow": "application/vnd.apache.arrow.file",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown",
    ".ndjson": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".tsv": "text/tab-separated-values",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zst": "application/zstd",
}

Bytes = str | Path | bytes | BinaryIO | Iterable[bytes]
"""A path (text is one too), the bytes themselves, an open file, or chunks."""
OnSent = Callable[[int], None]
"""Told how many bytes are sent so far; falls back to 0 when an upload starts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Content in constant memory; `is_replayable`: it can be sent again from its start."""

    origin: Bytes | AsyncIterable[bytes]
    name: str | None
    media_type: str
    size: int | None
    is_replayable: bool
    on_sent: OnSent | None = None

    def headers(self) -> dict[str, str]:
        """Describe the content to the server."""
        described = {"Content-Type": self.media_type}
        if self.name is not None:
            described["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(self.name, safe='')}"
        if self.size is not None:
            described["Content-Length"] = str(self.size)
        return described

    def chunks(self) -> Iterator[bytes]:
        """Read the content from its start."""
        sent = 0
        for chunk in chunks_of(self.origin):
            self._tell(sent)
            yield chunk
            sent += len(chunk)
        self._tell(sent)

    async def chunks_async(self) -> AsyncIterator[bytes]:
        """Read the content from its start; files are read in a thread."""
        sent = 0
        async for chunk in self.origin if isinstance(self.origin, AsyncIterable) else threaded(self.origin):
            self._tell(sent)
            yield chunk
            sent += len(chunk)
        self._tell(sent)

    def _tell(self, sent: int) -> None:
        if self.on_sent is not None:
            self.on_sent(sent)


def content_of(
    origin: Bytes | AsyncIterable[bytes],
    *,
    name: str | None = None,
    media_type: str | None = None,
    on_sent: OnSent | None = None,
) -> Content:
    """Describe what is to be uploaded; a path gives its own name, and the name the media type."""
    size: int | None = None
    if isinstance(origin, str | Path):
        path = Path(origin)
        name, size = name or path.name, path.stat().st_size
    elif isinstance(origin, bytes):
        size = len(origin)
    return Content(
        origin=origin,
        name=name,
        media_type=media_type or media_type_of(name),
        size=size,
        is_replayable=isinstance(origin, str | Path | bytes),
        on_sent=on_sent,
    )


def media_type_of(name: str | None) -> str:
    """Guess a media type from a file's name."""
    if name is None:
        return OPAQUE
    known = MEDIA_TYPES_OF_SUFFIXES.get(Path(name).suffix.lower())
    if known is not None:
        return known
    guessed, compression = mimetypes.guess_type(name)
    if compression is not None:
        return MEDIA_TYPES_OF_COMPRESSION.get(compression, OPAQUE)
    return guessed or OPAQUE


def chunks_of(origin: Bytes | AsyncIterable[bytes]) -> Iterator[bytes]:
    """Cut any origin into chunks of bounded size."""
    if isinstance(origin, AsyncIterable):
        raise TypeError("an asynchronous stream needs the AsyncClient")
    if isinstance(origin, str | Path):
        with Path(origin).open("rb") as file:
            yield from chunks_of(file)
    elif isinstance(origin, bytes):
        for start in range(0, len(origin), CHUNK_BYTES):
            yield origin[start : start + CHUNK_BYTES]
    elif (read := getattr(origin, "read", None)) is not None:
        while chunk := read(CHUNK_BYTES):
            yield chunk
    else:
        yield from origin


async def threaded(origin: Bytes) -> AsyncIterator[bytes]:
    """Read an origin that may block, without blocking the loop."""
    chunks = chunks_of(origin)
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
