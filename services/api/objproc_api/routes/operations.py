"""GET /operations: the catalogue."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from objproc.operations.catalogue import CatalogueEntry
from objproc_api.bodies import json_answer
from objproc_api.parts import parts_of
from objproc_api.paths import API

router = APIRouter(prefix=API, tags=["operations"])


@router.get("/operations", summary="What can be run")
async def operations(request: Request) -> Response:
    """Every operation that a worker announced."""
    offer = await parts_of(request).catalogue.offer()
    return json_answer({"items": [entry_view(entry) for entry in offer.entries.values()], "next_cursor": None})


def entry_view(entry: CatalogueEntry) -> dict[str, Any]:
    """One operation for clients."""
    return {
        "name": entry.type,
        "description": entry.description,
        "version": entry.version,
        "requires": entry.requires,
        "accepts": entry.accepts,
        "pool": entry.pool,
        "attempts_max": entry.attempts_max,
        "deadline_s": entry.deadline_s,
        "params_schema": entry.params_schema,
    }
