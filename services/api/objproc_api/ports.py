"""What the api needs of PostgreSQL and S3. queries.py and objproc.store.s3 fulfil it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from objproc.domain.content import Content
from objproc.streams.ports import Load, Standing
from objproc_api.views import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which objects a list shows. `after` is (submitted_at, object_id) of the last one shown before."""

    tenant: str
    states: tuple[str, ...] = ()
    identifier: str | None = None
    is_prefix: bool = False
    after: tuple[datetime, str] | None = None


class ObjectsPort(Protocol):
    """The projection of objects."""

    async def by_id(self, tenant: str, object_id: str) -> Found | None:
        """One object."""
        ...

    async def newest(self, tenant: str, identifier: str) -> Found | None:
        """The newest run under an identifier."""
        ...

    async def page(self, filters: Filters, limit: int) -> list[Found]:
        """Up to `limit` objects, newest first."""
        ...


class HistoryPort(Protocol):
    """The archive of the log, by object."""

    async def commits(self, object_id: str, after: int, count: int) -> list[bytes]:
        """Bodies of up to `count` commits that hold versions greater than `after`, in order."""
        ...


class ContentsPort(Protocol):
    """The projection of uploads."""

    async def content(self, tenant: str, content_id: str) -> Content | None:
        """The newest upload under that id."""
        ...


class KeptPort(Protocol):
    """What the system keeps in S3."""

    async def is_kept(self, tenant: str, sha256: str) -> bool:
        """True where some object or upload refers to these bytes."""
        ...


class ReadinessPort(Protocol):
    """Is a server there?"""

    async def ping(self) -> None:
        """TransientError where it does not answer."""
        ...


class BytesPort(Protocol):
    """Bytes in S3, by key."""

    async def put(self, key: str, body: bytes, media_type: str) -> None:
        """Small bytes at once."""
        ...

    async def size_of(self, key: str) -> int | None:
        """How many bytes lie there; None where none do."""
        ...

    async def get(self, key: str, byte_range: str | None = None) -> tuple[AsyncIterator[bytes], int]:
        """Chunks of the bytes and their number. NotInStoreError where none lie."""
        ...


class UploadPort(Protocol):
    """A multipart upload under way."""

    async def add(self, part: bytes) -> None:
        """The next part."""
        ...

    async def complete(self) -> None:
        """Make the whole visible."""
        ...

    async def abort(self) -> None:
        """Give the parts up."""
        ...


class StagingPort(Protocol):
    """Bytes that are named only once they have all arrived."""

    async def start_upload(self, key: str, media_type: str) -> UploadPort:
        """A multipart upload to `key`."""
        ...

    async def copy(self, source: str, target: str, size: int) -> None:
        """Copy on the server's side."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the bytes."""
        ...


class InspectionPort(Protocol):
    """What the streams say of themselves."""

    async def backlogs(self, partitions: Sequence[int], pools: Sequence[str]) -> list[dict[str, int]]:
        """Head, fed position and waiting entries of each partition."""
        ...

    async def standing(self) -> Standing:
        """What an acknowledgement is worth."""
        ...

    async def load(self, partitions: Sequence[int]) -> Load:
        """How full Redis is."""
        ...
