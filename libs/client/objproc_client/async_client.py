"""The asynchronous client: the same calls and promises as `objproc_client.client`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from objproc_client import calls
from objproc_client.answers import (
    Artifact,
    CatalogueEntry,
    FeedEvent,
    Health,
    HistoryEvent,
    ObjectDetails,
    Outcome,
    Page,
    Progress,
    Status,
    Submission,
    UploadedContent,
)
from objproc_client.attempts import WATCH_RETRIES, Retries
from objproc_client.calls import Call, ProcessOptions
from objproc_client.connection import TIMEOUT_S, address_of, attempts_of, request_of, settings
from objproc_client.content import Bytes, OnSent
from objproc_client.download import CHUNK_BYTES, Download
from objproc_client.feed import Feed

T = TypeVar("T")


class AsyncClient:
    """A connection to one server. Every method raises the errors of `objproc_client.errors`, or OSError for a file."""

    def __init__(
        self,
        url: str | None = None,
        timeout: float = TIMEOUT_S,
        *,
        api_key: str | None = None,
        retries: Retries | None = None,
        watch_retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`url`, else $OBJPROC_URL, else http://127.0.0.1:8000; `timeout` in seconds, for each step."""
        self._http = httpx.AsyncClient(**settings(url, timeout, api_key), transport=transport)
        self._retries = retries or Retries()
        self._watch_retries = watch_retries or retries or WATCH_RETRIES

    async def __aenter__(self) -> Self:
        """Use the connection."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    @property
    def url(self) -> str:
        """The server's address."""
        return address_of(self._http)

    async def process(
        self, identifier: str, operations: Sequence[str], **options: Unpack[ProcessOptions]
    ) -> Submission:
        """Submit an object. A repeat with the same `idempotency_key` names the same object.

        Without `source` and `data` the newest content uploaded under `identifier` is processed. `wait_s` lets
        the server hold the answer back until the object is finished.
        """
        return await self._send(calls.process(identifier, operations, **options))

    async def put_content(
        self,
        identifier: str,
        content: Bytes | AsyncIterable[bytes],
        media_type: str | None = None,
        *,
        name: str | None = None,
        on_sent: OnSent | None = None,
    ) -> UploadedContent:
        """Upload a path's, bytes' or a stream's content in constant memory; text is a path."""
        return await self._send(
            calls.put_content(identifier, content, media_type=media_type, name=name, on_sent=on_sent)
        )

    async def progress(self, object_id: str) -> Progress:
        """Ask how far an object is."""
        return await self._send(calls.progress(object_id))

    async def get_object(self, reference: str) -> ObjectDetails:
        """Ask for one object, by object id or by identifier (its newest run)."""
        return await self._send(calls.get_object(reference))

    async def list_objects(
        self,
        state: str | None = None,
        identifier: str | None = None,
        limit: int = calls.PAGE_ITEMS,
        cursor: str | None = None,
    ) -> Page[ObjectDetails]:
        """Ask for one page of objects."""
        return await self._send(calls.list_objects(state, identifier, limit, cursor))

    async def iterate_objects(
        self, state: str | None = None, identifier: str | None = None, page_items: int = calls.PAGE_ITEMS
    ) -> AsyncGenerator[ObjectDetails, None]:
        """Go through all objects, page by page."""
        cursor: str | None = None
        while True:
            page = await self.list_objects(state, identifier, page_items, cursor)
            for item in page.items:
                yield item
            if (cursor := page.next_cursor) is None:
                return

    async def events(self, object_id: str) -> AsyncGenerator[HistoryEvent, None]:
        """Go through an object's history, oldest first."""
        cursor: str | None = None
        while True:
            page = await self._send(calls.events(object_id, cursor))
            for item in page.items:
                yield item
            if (cursor := page.next_cursor) is None:
                return

    async def artifacts(self, object_id: str) -> tuple[Artifact, ...]:
        """List what the operations left."""
        return (await self._send(calls.artifacts(object_id))).items

    async def cancel(self, object_id: str) -> Outcome:
        """Stop an object; ConflictError when it is finished."""
        return await self._send(calls.cancel(object_id))

    async def retry(self, object_id: str) -> Outcome:
        """Run again what failed, keeping what succeeded; ConflictError when nothing failed."""
        return await self._send(calls.retry(object_id))

    async def delete(self, object_id: str, *, force: bool = False) -> Outcome:
        """Delete content and artifacts; ConflictError while the object is active, unless `force`."""
        return await self._send(calls.delete(object_id, force=force))

    async def operations(self) -> tuple[CatalogueEntry, ...]:
        """List the operations the server can run."""
        return (await self._send(calls.operations())).items

    async def status(self) -> Status:
        """Ask for services, partitions, backlog, workers."""
        return await self._send(calls.status())

    async def health(self) -> Health:
        """Ask whether the whole works."""
        return await self._send(calls.health())

    async def watch(self, object_id: str, last_event_id: str | None = None) -> AsyncGenerator[FeedEvent, None]:
        """Follow an object until its last event: each event once, in order, across broken connections."""
        feed = Feed(object_id, last_event_id, self._watch_retries, self.url)
        while not feed.is_over:
            try:
                response = await self._http.send(request_of(self._http, feed.call()), stream=True)
                async with aclosing(response):
                    if response.is_error:
                        await response.aread()
                    pause_s = feed.opened(response)
                    if pause_s is None:
                        async for chunk in response.aiter_bytes():
                            for event in feed.receive(chunk):
                                yield event
                        pause_s = feed.closed()
            except httpx.RequestError as error:
                pause_s = feed.lost(error)
            await asyncio.sleep(pause_s)

    async def download(self, object_id: str, name: str, to: Path, *, sha256: str | None = None) -> Path:
        """Fetch an artifact to the file or into the folder `to`; DigestError if its bytes are not the artifact's.

        The digest is looked up in the list of artifacts unless given.
        """
        if sha256 is None:
            sha256 = next((item.sha256 for item in await self.artifacts(object_id) if item.name == name), None)
        with Download(object_id, name, to, sha256, self._retries, self.url) as download:
            while True:
                try:
                    request = request_of(self._http, download.call())
                    response = await self._http.send(request, stream=True, follow_redirects=True)
                    async with aclosing(response):
                        if response.is_error:
                            await response.aread()
                        pause_s = download.opened(response)
                        if pause_s is None:
                            async for chunk in response.aiter_bytes(CHUNK_BYTES):
                                await asyncio.to_thread(download.write, chunk)
                            return download.finish()
                except httpx.RequestError as error:
                    pause_s = download.lost(error)
                await asyncio.sleep(pause_s)

    async def _send(self, call: Call[T]) -> T:
        attempts = attempts_of(self._http, self._retries, call)
        while True:
            try:
                content = call.content.chunks_async() if call.content else None
                response = await self._http.send(request_of(self._http, call, content))
            except httpx.RequestError as error:
                pause_s = attempts.lost(error)
            else:
                asked_s = attempts.answered(response)
                if asked_s is None:
                    return call.answer(response)
                pause_s = asked_s
            await asyncio.sleep(pause_s)
