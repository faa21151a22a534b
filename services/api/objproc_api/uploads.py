"""Content on its way to S3: any size in constant memory, named by digest once it has all arrived."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from objproc.errors import ObjprocError
from objproc.store.s3 import PART_BYTES, key_of
from objproc_api.bodies import too_large
from objproc_api.ports import BytesPort, StagingPort, UploadPort


class Digest(NamedTuple):
    """What arrived."""

    sha256: str
    size: int


class Uploads:
    """Writes streams of bytes into the content-addressed store."""

    def __init__(self, store: BytesPort, staging: StagingPort, bytes_max: int) -> None:
        self._store = store
        self._staging = staging
        self.bytes_max = bytes_max

    async def store(self, chunks: AsyncIterator[bytes], tenant: str, media_type: str) -> Digest:
        """All bytes under their digest. 413 `content_too_large` beyond the limit; then nothing is left behind."""
        staged = Staged(self._staging, f"{tenant}/uploads/{uuid.uuid4()}", media_type)
        digest, size, part = hashlib.sha256(), 0, bytearray()
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self.bytes_max:
                    raise too_large(self.bytes_max, "content_too_large")
                digest.update(chunk)
                part += chunk
                while len(part) > PART_BYTES:
                    await staged.add(bytes(part[:PART_BYTES]))
                    del part[:PART_BYTES]
            key = key_of(tenant, digest.hexdigest())
            if not staged.is_open:
                await self._store.put(key, bytes(part), media_type)
            else:
                await staged.add(bytes(part))
                await staged.move_to(key, size)
        except BaseException:
            await staged.abort()
            raise
        return Digest(digest.hexdigest(), size)


class Staged:
    """A multipart upload under a passing name, begun with its first part."""

    def __init__(self, staging: StagingPort, key: str, media_type: str) -> None:
        self._staging = staging
        self._key = key
        self._media_type = media_type
        self._upload: UploadPort | None = None

    @property
    def is_open(self) -> bool:
        """True once there is a part."""
        return self._upload is not None

    async def add(self, part: bytes) -> None:
        """The next part."""
        if self._upload is None:
            self._upload = await self._staging.start_upload(self._key, self._media_type)
        await self._upload.add(part)

    async def move_to(self, key: str, size: int) -> None:
        """Give the bytes their name, also where the same are there already: fresh bytes are never swept away."""
        assert self._upload is not None
        await self._upload.complete()
        self._upload = None
        try:
            await self._staging.copy(self._key, key, size)
        finally:
            with suppress(ObjprocError):
                await self._staging.delete(self._key)

    async def abort(self) -> None:
        """Give up what was sent; parts that cannot be reached now are for the bucket's own clearing up."""
        if self._upload is not None:
            upload, self._upload = self._upload, None
            with suppress(ObjprocError):
                await upload.abort()
