"""What an object is about: the content that a request brings, names, or leaves open."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import orjson

from objproc.domain.content import Content
from objproc.domain.limits import DATA_BYTES_MAX, INLINE_BYTES_MAX
from objproc.store.s3 import key_of
from objproc_api.bodies import too_large
from objproc_api.lookup import Lookup
from objproc_api.ports import BytesPort, KeptPort
from objproc_api.problems import fault, invalid
from objproc_api.schemas import ProcessRequest, Source, raw_data

JSON = "application/json"
OPAQUE = "application/octet-stream"


class Contents:
    """Resolves the content of requests, and puts into S3 what is too large to travel along."""

    def __init__(self, store: BytesPort, kept: KeptPort, lookup: Lookup) -> None:
        self._store = store
        self._kept = kept
        self._lookup = lookup

    async def resolve(self, request: ProcessRequest, body: bytes, tenant: str) -> Content:
        """`data`, else `source`, else the newest upload under the identifier, else the request itself."""
        if request.has_data:
            return await self._data(raw_data(body), tenant)
        if request.source is not None:
            return await self._source(request.source, tenant)
        uploaded = await self._lookup.upload(tenant, request.identifier)
        if uploaded is not None:
            return replace(uploaded, is_upload=True)
        document = {"identifier": request.identifier, "metadata": request.metadata}
        return await self._document(orjson.dumps(document), "request.json", tenant)

    async def _data(self, data: bytes, tenant: str) -> Content:
        if len(data) > DATA_BYTES_MAX:
            raise too_large(DATA_BYTES_MAX, "data_too_large")
        return await self._document(data, "data.json", tenant)

    async def _document(self, data: bytes, name: str, tenant: str) -> Content:
        digest = hashlib.sha256(data).hexdigest()
        is_small = len(data) <= INLINE_BYTES_MAX
        if not is_small:
            await self._store.put(key_of(tenant, digest), data, JSON)
        inline = data.decode() if is_small else None
        return Content(sha256=digest, size=len(data), media_type=JSON, name=name, inline=inline)

    async def _source(self, source: Source, tenant: str) -> Content:
        # what nothing refers to may be swept away before this object's reference stands
        is_kept = await self._kept.is_kept(tenant, source.sha256)
        size = await self._store.size_of(key_of(tenant, source.sha256)) if is_kept else None
        if size is None:
            detail = "no content with this digest was uploaded"
            raise invalid("unknown_content", [fault(("source", "sha256"), detail)])
        return Content(
            sha256=source.sha256,
            size=size,
            media_type=source.media_type or OPAQUE,
            name=source.name or source.sha256,
        )
