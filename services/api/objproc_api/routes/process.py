"""POST /process: submit an object."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from objproc.domain.state_machine import TERMINAL
from objproc.feed import FeedCommit
from objproc_api.bodies import json_answer, parse_json, read_body
from objproc_api.caller import Caller, caller_of, idempotency_key_of, wait_s_of
from objproc_api.outcomes import wait_for
from objproc_api.parts import Parts, parts_of
from objproc_api.paths import API, links_of
from objproc_api.schemas import ProcessRequest, fingerprint_of, process_request
from objproc_api.submission import Submission, Submitted, names_of
from objproc_api.views import object_view, submission_view

router = APIRouter(prefix=API, tags=["process"])

REQUEST_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ProcessRequest.model_json_schema()}}}
}


@router.post("/process", status_code=202, openapi_extra=REQUEST_BODY, summary="Process an object")
async def process(
    request: Request,
    plan: Annotated[bool, Query(description="only tell what would run")] = False,
) -> Response:
    """Submit an object; 202 means that it is durable.

    `Idempotency-Key` makes a repeat name the same object; `Prefer: wait=N` answers 200 with the finished object
    if it finishes within N seconds.
    """
    parts, caller = parts_of(request), caller_of(request)
    body = await read_body(request)
    value = parse_json(body)
    wanted = process_request(value)
    if plan:
        return await plan_only(parts, wanted)
    key = idempotency_key_of(request)
    submission = await parts.submissions.prepare(wanted, body, fingerprint_of(value), key, caller)
    wait_s = wait_s_of(request)
    if wait_s:
        return await submit_and_wait(parts, submission, caller, wait_s)
    return accepted(await parts.submissions.submit(submission, caller))


async def plan_only(parts: Parts, wanted: ProcessRequest) -> Response:
    """What would run."""
    planned = await parts.submissions.plan(wanted)
    nodes = [
        {
            "operation": node.type,
            "requires": node.requires,
            "version": node.version,
            "attempts_max": node.attempts_max,
            "deadline_s": node.deadline_ms / 1000,
            "params": node.params,
        }
        for node in planned
    ]
    return json_answer({"identifier": wanted.identifier, "operations": names_of(planned), "plan": nodes})


def accepted(submitted: Submitted) -> Response:
    """202: durable."""
    current = submitted.current
    return json_answer(submission_view(current, submitted.position), 202, headers_of(submitted))


def headers_of(submitted: Submitted) -> dict[str, str]:
    """Where the object is, and whether it was there before."""
    headers = {"Location": str(links_of(submitted.current.object_id)["self"])}
    return headers | {"Idempotent-Replayed": "true"} if submitted.is_replay else headers


async def submit_and_wait(parts: Parts, submission: Submission, caller: Caller, wait_s: float) -> Response:
    """200 with the finished object, or 202 when it takes longer."""
    object_id = submission.command.object_id

    async def is_finished() -> bool:
        found = await parts.lookup.by_id(caller.tenant, object_id)
        return found is not None and found.current.is_terminal

    with parts.hub.subscribe(object_id) as subscription:
        submitted = await parts.submissions.submit(submission, caller)
        if not submitted.current.is_terminal:
            if submitted.is_replay:
                subscription.fall_behind()  # it may have finished between its look-up and now
            if not await wait_for(subscription, ends, is_finished, wait_s):
                return accepted(submitted)
    found = await parts.lookup.get(caller.tenant, object_id)
    headers = headers_of(submitted) | {"Preference-Applied": f"wait={wait_s:g}"}
    return json_answer(object_view(found), 200, headers)


def ends(commit: FeedCommit) -> bool:
    """True for a commit that leads to a terminal state."""
    return bool(commit.events) and commit.events[-1].state in TERMINAL
