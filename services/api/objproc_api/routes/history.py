"""GET /objects/{object_id}/events: everything that happened to an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from objproc.domain.state_machine import ProcessState
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import Commit
from objproc_api.bodies import json_answer
from objproc_api.caller import caller_of
from objproc_api.parts import parts_of
from objproc_api.paths import API, name_of

router = APIRouter(prefix=API, tags=["objects"])
EVENTS_MAX = 1000
CONTENT_FIELDS = ("metadata", "tags", "summary")
"""What a deleted object's history no longer tells; the log itself is never changed."""


@router.get("/objects/{object_id:path}/events", summary="The history of an object")
async def events(
    request: Request,
    object_id: str,
    limit: Annotated[int, Query(ge=1, le=EVENTS_MAX)] = 100,
    cursor: Annotated[int, Query(ge=0, le=2**31 - 1, description="`next_cursor` of the page before")] = 0,
) -> Response:
    """Each event with its place in the log, its actor and cause, and the hash chain around it."""
    parts = parts_of(request)
    found = await parts.lookup.resolve(caller_of(request).tenant, name_of(object_id))
    # a commit holds at least one event, so this many commits are enough to know whether there is more
    bodies = await parts.history.commits(found.current.object_id, cursor, limit + 1)
    is_deleted = found.current.state is ProcessState.DELETED
    items = [
        item
        for body in bodies
        for item in event_views(decode_commit(body), is_deleted=is_deleted)
        if item["version"] > cursor
    ]
    next_cursor = str(items[limit - 1]["version"]) if len(items) > limit else None
    return json_answer({"items": items[:limit], "next_cursor": next_cursor}, headers={"Cache-Control": "no-store"})


def event_views(commit: Commit, *, is_deleted: bool) -> Iterator[dict[str, Any]]:
    """The commit's events for clients. Content that travels inline is the object's, not the history's."""
    for version, event in enumerate(commit.events, commit.version_from):
        data = msgspec.to_builtins(event)
        if data.get("content"):
            data["content"].pop("inline", None)
        if is_deleted:
            for name in CONTENT_FIELDS:
                data.pop(name, None)
        yield {
            "seq": commit.seq,
            "partition": commit.partition,
            "version": version,
            "type": type(event).__name__,
            "data": data,
            "actor": commit.origin.actor,
            "cause": commit.origin.cause,
            "correlation_id": commit.origin.correlation_id,
            "at": commit.at,
            "hash": commit.hash,
            "prev": commit.prev,
        }
