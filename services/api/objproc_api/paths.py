"""Names in paths: an identifier may hold slashes, written as `/` or as `%2F`, and names are checked in one place."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from objproc.domain.limits import IDENTIFIER_CHARS_MAX
from objproc_api.problems import fault, invalid

ESCAPED_SLASH = "\udc2f"
"""Stands for `%2F` while routes are matched: no decoded path can hold it, so it never meets a slash of the route."""

API = "/api/v1"
UUID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class EscapedSlashes:
    """ASGI wrapper: `%2F` in a path belongs to a name, and separates nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes = scope.get("raw_path") or b""
        if b"%2F" in raw or b"%2f" in raw:
            parts = re.split("%2[Ff]", raw.decode("latin-1"))
            scope = {**scope, "path": ESCAPED_SLASH.join(unquote(part) for part in parts)}
        await self._app(scope, receive, send)


def name_of(parameter: str) -> str:
    """A name as its client means it. 422 `invalid_request` for one that nothing can have."""
    name = parameter.replace(ESCAPED_SLASH, "/")
    if not 1 <= len(name) <= IDENTIFIER_CHARS_MAX or CONTROL.search(name):
        detail = f"must have 1 to {IDENTIFIER_CHARS_MAX} characters and no control characters"
        raise invalid("invalid_request", [fault(("path",), detail)])
    return name


def object_id_of(name: str) -> str | None:
    """`name` as an object id; None if it is none."""
    return name.lower() if UUID_PATTERN.fullmatch(name) else None


def segment(name: str) -> str:
    """`name` as one path segment."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


def links_of(object_id: str) -> dict[str, Any]:
    """Where an object's resources are."""
    base = f"{API}/objects/{object_id}"
    progress = f"{API}/progress/{object_id}"
    return {
        "self": base,
        "progress": progress,
        "stream": f"{progress}/stream",
        "events": f"{base}/events",
        "artifacts": f"{base}/artifacts",
    }


def artifact_href(object_id: str, name: str) -> str:
    """Where an artifact's bytes are."""
    return f"{API}/objects/{object_id}/artifacts/{segment(name)}"
