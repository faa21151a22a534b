"""What operations left: the list, and the bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from objproc.domain.content import Artifact
from objproc.store.s3 import NotInStoreError, key_of
from objproc_api.answers import ClosingStream
from objproc_api.bodies import json_answer
from objproc_api.caller import caller_of
from objproc_api.parts import parts_of
from objproc_api.paths import API, name_of
from objproc_api.problems import Problem
from objproc_api.ranges import ByteRange, range_of
from objproc_api.views import Found, artifacts_view

router = APIRouter(prefix=API, tags=["artifacts"])


@router.get("/objects/{object_id:path}/artifacts", summary="What the operations left")
async def list_artifacts(request: Request, object_id: str) -> Response:
    """In the order of the plan."""
    found = await parts_of(request).lookup.resolve(caller_of(request).tenant, name_of(object_id))
    return json_answer({"items": artifacts_view(found.current), "next_cursor": None})


@router.head("/objects/{object_id:path}/artifacts/{name:path}", include_in_schema=False)
@router.get("/objects/{object_id:path}/artifacts/{name:path}", summary="The bytes of an artifact")
async def download(
    request: Request,
    object_id: str,
    name: str,
    operation: Annotated[str | None, Query(description="whose artifact, where several have this name")] = None,
) -> Response:
    """All of it, or a `Range` of it; the ETag is its SHA-256."""
    parts = parts_of(request)
    caller = caller_of(request)
    found = await parts.lookup.resolve(caller.tenant, name_of(object_id))
    artifact = artifact_of(found, name_of(name), operation)
    etag = f'"{artifact.sha256}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": etag})
    is_same = request.headers.get("if-range", etag) == etag
    part = range_of(request.headers.get("range"), artifact.size) if is_same else None
    headers = headers_of(artifact, part, etag)
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    try:
        chunks, _ = await parts.store.get(key_of(caller.tenant, artifact.sha256), part.header if part else None)
    except NotInStoreError:
        raise Problem(410, "artifact_gone", f"the bytes of {artifact.name!r} are no longer stored") from None
    return ClosingStream(closing(chunks), status, headers)


def artifact_of(found: Found, name: str, operation: str | None) -> Artifact:
    """The artifact; where several have the name, the last one of the plan. 404 where there is none."""
    for run in reversed(found.current.runs.values()):
        for artifact in run.artifacts:
            if artifact.name == name and operation in {None, run.planned.type}:
                return artifact
    raise Problem(404, "artifact_not_found", f"the object has no artifact {name!r}")


def headers_of(artifact: Artifact, part: ByteRange | None, etag: str) -> dict[str, str]:
    """What tells a browser to keep the bytes as a file, and not to guess what they are."""
    headers = {
        "Content-Type": artifact.media_type,
        "Content-Length": str(part.size if part else artifact.size),
        "Content-Disposition": disposition(artifact.name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    return headers | {"Content-Range": f"bytes {part.first}-{part.last}/{artifact.size}"} if part else headers


def disposition(name: str) -> str:
    """`attachment`, with a name that no system takes for a path (RFC 6266)."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name).lstrip(".")
    exact = quote(name.replace("/", "_").replace("\\", "_").lstrip("."), safe="")
    return f"attachment; filename=\"{plain or 'artifact'}\"; filename*=UTF-8''{exact or 'artifact'}"


async def closing(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks; their connection is given back when the client goes away."""
    if isinstance(chunks, AsyncGenerator):
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk
    else:
        async for chunk in chunks:
            yield chunk
