"""Health of the whole, of this replica and of its loop; the state of the system."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from objproc.liveness import LOOPS
from objproc_api.bodies import json_answer
from objproc_api.parts import parts_of
from objproc_api.paths import API

router = APIRouter(tags=["status"])
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/health", summary="Is the whole system well?")
async def health(request: Request) -> Response:
    """200 if every server answers, every role has a living instance, and operations are on offer; else 503."""
    body, is_well = await parts_of(request).health.whole()
    return json_answer(body, 200 if is_well else 503, NO_STORE)


@router.get("/livez", summary="Does this replica's loop run?")
async def livez(request: Request) -> Response:
    """503 once the feed's loop has made no pass for 15 s, or another one has stood still for longer than it may."""
    stuck = LOOPS.overdue()
    is_live = parts_of(request).hub.is_live and not stuck
    return json_answer({"status": "ok" if is_live else "stuck", "loops": stuck}, 200 if is_live else 503, NO_STORE)


@router.get("/readyz", summary="Can this replica serve?")
async def readyz(request: Request) -> Response:
    """503 while a server it needs is away, or its tables are not made yet.

    Durability below its level and pressure are told, but end nothing: objects can still be read.
    """
    checks, pressure = parts_of(request).health, parts_of(request).pressure
    servers, durability = await asyncio.gather(checks.servers(), checks.durability())
    is_ready = checks.is_set_up and all(state == "ok" for state in servers.values())
    body = {
        "status": "ok" if is_ready else "unavailable",
        "servers": servers,
        "durability": durability,
        "pressure": {"is_accepting": not pressure.reason, "reason": pressure.reason},
    }
    return json_answer(body, 200 if is_ready else 503, NO_STORE)


@router.get(f"{API}/status", summary="Services, partitions, backlog, workers")
async def status(request: Request) -> Response:
    """Figures for people."""
    return json_answer(await parts_of(request).status.view(), headers=NO_STORE)
