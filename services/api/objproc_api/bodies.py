"""JSON in and out: bodies of bounded size, parsed once, written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from objproc_api.problems import Problem

BODY_BYTES_MAX = 2 * 1024 * 1024
CLOSE = {"Connection": "close"}
"""The rest of a refused body is not read, so the connection cannot go on."""


async def read_body(request: Request) -> bytes:
    """The body. 415 for what is not called JSON, 413 `request_too_large` beyond the limit."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        # other types can be sent by any web page without asking, so they are no way in
        raise Problem(415, "unsupported_media_type", "the body must be sent as application/json", headers=CLOSE)
    refuse_longer_than(request, BODY_BYTES_MAX, "request_too_large")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise too_large(BODY_BYTES_MAX, "request_too_large")
    return bytes(body)


def refuse_longer_than(request: Request, limit: int, code: str) -> None:
    """413 `code` where the announced length is beyond `limit` bytes."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit, code)


def too_large(limit: int, code: str) -> Problem:
    """413 that names the limit."""
    return Problem(413, code, f"at most {limit} bytes are accepted here", headers=CLOSE)


def parse_json(body: bytes) -> Any:
    """The value. 400 `invalid_json` that says where it breaks."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, "invalid_json", f"the body is not JSON: {error.msg.split(': line')[0]} ({where})") from None


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as the response; times are RFC 3339 UTC with Z."""
    return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), status, headers, "application/json")
