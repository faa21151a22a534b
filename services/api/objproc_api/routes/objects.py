"""Objects: one, many, and what can be done to them."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from objproc.domain.limits import IDENTIFIER_CHARS_MAX
from objproc.domain.state_machine import ProcessState
from objproc_api.bodies import json_answer
from objproc_api.caller import caller_of
from objproc_api.control import Outcome
from objproc_api.parts import parts_of
from objproc_api.paths import API, CONTROL, name_of, object_id_of
from objproc_api.ports import Filters
from objproc_api.problems import Problem, fault, invalid
from objproc_api.views import Found, object_view, progress_view

router = APIRouter(prefix=API, tags=["objects"])
OBJECTS_MAX = 200
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/objects", summary="List objects, newest first")
async def list_objects(
    request: Request,
    state: Annotated[list[ProcessState] | None, Query(description="one of these states")] = None,
    identifier: Annotated[
        str | None,
        Query(min_length=1, max_length=IDENTIFIER_CHARS_MAX, description="this identifier; a prefix if it ends in *"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=OBJECTS_MAX)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> Response:
    """Stable under inserts: what comes new is before the first page."""
    if identifier is not None and CONTROL.search(identifier):
        raise invalid("invalid_request", [fault(("query", "identifier"), "must not contain control characters")])
    is_prefix = identifier is not None and identifier.endswith("*")
    filters = Filters(
        tenant=caller_of(request).tenant,
        states=tuple(one.value for one in state or ()),
        identifier=identifier[:-1] if identifier and is_prefix else identifier,
        is_prefix=is_prefix,
        after=None if cursor is None else read_cursor(cursor),
    )
    found = await parts_of(request).objects.page(filters, limit + 1)
    items, more = found[:limit], len(found) > limit
    next_cursor = write_cursor(items[-1]) if more else None
    return json_answer({"items": [object_view(one) for one in items], "next_cursor": next_cursor}, headers=NO_STORE)


def write_cursor(found: Found) -> str:
    """Where the next page begins."""
    at = int(found.current.submitted_at.timestamp() * 1_000_000)
    return base64.urlsafe_b64encode(f"{at}:{found.current.object_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """What `write_cursor` wrote. 422 for anything else."""
    try:
        at, _, object_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        moment = datetime.fromtimestamp(int(at) // 1_000_000, UTC).replace(microsecond=int(at) % 1_000_000)
    except (binascii.Error, ValueError, OverflowError, OSError):
        moment, object_id = None, ""
    if moment is None or object_id_of(object_id) is None:
        raise invalid("invalid_request", [fault(("query", "cursor"), "is no `next_cursor` of this list")])
    return moment, object_id


@router.post("/objects/{object_id:path}/cancel", summary="Stop an object")
async def cancel(request: Request, object_id: str) -> Response:
    """200 once it has stopped, 202 if that takes longer than 2 s."""
    return told(await parts_of(request).control.cancel(name_of(object_id), caller_of(request)))


@router.post("/objects/{object_id:path}/retry", summary="Run again what failed")
async def retry(request: Request, object_id: str) -> Response:
    """What succeeded is kept, unless its content was uploaded anew."""
    return told(await parts_of(request).control.retry(name_of(object_id), caller_of(request)))


@router.delete("/objects/{object_id:path}", summary="Delete content and artifacts")
async def delete(
    request: Request,
    object_id: str,
    force: Annotated[bool, Query(description="stop an active object first")] = False,
) -> Response:
    """The history stays."""
    return told(await parts_of(request).control.delete(name_of(object_id), caller_of(request), is_forced=force))


def told(outcome: Outcome) -> Response:
    """200 with the object, or 202 with the command that is still to take effect."""
    view = progress_view(outcome.found)
    if outcome.command_id is None:
        return json_answer(view)
    return json_answer(view | {"command_id": outcome.command_id}, 202)


@router.get("/objects/{identifier:path}", summary="One object, by identifier (its newest run) or object id")
async def get_object(request: Request, identifier: str) -> Response:
    """Everything of it."""
    if not identifier:
        raise Problem(404, "not_found", "an identifier is missing after /objects/")
    found = await parts_of(request).lookup.resolve(caller_of(request).tenant, name_of(identifier))
    return json_answer(object_view(found), headers=NO_STORE)
