"""Uploads under an identifier: bytes to S3, then one durable command that names them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from objproc.clock import Clock
from objproc.domain.commands import StoreContent
from objproc.domain.content import Content
from objproc.domain.ids import content_id
from objproc.streams.ports import AppendMode
from objproc_api.caller import Caller
from objproc_api.commands import Commands
from objproc_api.feed import FeedHub
from objproc_api.ids import new_id
from objproc_api.lookup import Lookup
from objproc_api.outcomes import wait_for
from objproc_api.ports import ContentsPort
from objproc_api.uploads import Uploads

PROJECTION_WAIT_S = 5.0


class Stored(NamedTuple):
    """What the identifier means from now on; `is_projected` where PostgreSQL says so, too."""

    content: Content
    is_projected: bool


class ContentStoring:
    """Stores uploads."""

    def __init__(
        self,
        *,
        uploads: Uploads,
        contents: ContentsPort,
        lookup: Lookup,
        commands: Commands,
        hub: FeedHub,
        clock: Clock,
        projection_wait_s: float = PROJECTION_WAIT_S,
    ) -> None:
        self._uploads = uploads
        self._contents = contents
        self._lookup = lookup
        self._commands = commands
        self._hub = hub
        self._clock = clock
        self._projection_wait_s = projection_wait_s

    @property
    def bytes_max(self) -> int:
        """The largest upload."""
        return self._uploads.bytes_max

    async def store(
        self, identifier: str, chunks: AsyncIterator[bytes], *, media_type: str, name: str, caller: Caller
    ) -> Stored:
        """Take the bytes in; `identifier` means them once this returns."""
        self._commands.admit()
        digest = await self._uploads.store(chunks, caller.tenant, media_type)
        content = Content(sha256=digest.sha256, size=digest.size, media_type=media_type, name=name, is_upload=True)
        object_id = content_id(caller.tenant, identifier)
        # what is pending comes after what is projected: only where nothing is, the projection has the last word
        is_settled = await self._lookup.pending_upload(object_id) is None
        if is_settled and await self._contents.content(caller.tenant, object_id) == content:
            return Stored(content, is_projected=True)
        command_id = new_id(self._clock)
        command = StoreContent(object_id=object_id, tenant=caller.tenant, identifier=identifier, content=content)

        async def look() -> bool:
            return await self._contents.content(caller.tenant, object_id) == content

        with self._hub.subscribe(object_id) as subscription:
            await self._commands.send(command, command_id, AppendMode.REPLACE, caller)
            is_projected = await wait_for(
                subscription, lambda commit: commit.cause == command_id, look, self._projection_wait_s
            )
        return Stored(content, is_projected)
