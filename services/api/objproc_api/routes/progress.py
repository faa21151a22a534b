"""GET /progress: how far an object is, once or as it happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from starlette.responses import Response

from objproc_api.answers import event_stream
from objproc_api.bodies import json_answer
from objproc_api.caller import bad_header, caller_of
from objproc_api.object_stream import ObjectStream
from objproc_api.parts import Parts, parts_of
from objproc_api.paths import API, name_of
from objproc_api.views import Found, progress_view

router = APIRouter(prefix=API, tags=["progress"])
VERSION_DIGITS_MAX = 10


@router.get("/progress/{object_id:path}/stream", summary="Follow an object (server-sent events)")
async def stream(request: Request, object_id: str) -> Response:
    """Every event after `Last-Event-ID` (or `?last_event_id=`), once and in order; ends after the terminal one."""
    parts = parts_of(request)
    found = await parts.lookup.get(caller_of(request).tenant, name_of(object_id))
    return event_stream(follow(parts, found, last_version_of(request)))


@router.get("/progress/{object_id:path}", summary="Ask how far an object is")
async def progress(request: Request, object_id: str) -> Response:
    """State, percent, and every operation's progress."""
    found = await parts_of(request).lookup.get(caller_of(request).tenant, name_of(object_id))
    return json_answer(progress_view(found), headers={"Cache-Control": "no-store"})


async def follow(parts: Parts, found: Found, last_version: int) -> AsyncGenerator[bytes, None]:
    """The frames of one client, subscribed for as long as it reads."""
    current = found.current
    stream = ObjectStream(parts.history, current.object_id, len(current.runs), last_version)
    with parts.hub.subscribe(current.object_id, is_behind=True) as subscription:
        async for frame in stream.frames(subscription):
            yield frame


def last_version_of(request: Request) -> int:
    """The version the client has seen. 400 for an id that no event of an object has."""
    text = request.headers.get("last-event-id") or request.query_params.get("last_event_id") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS_MAX):
        raise bad_header("Last-Event-ID must be the id of an event of this object: a version")
    return int(text)
