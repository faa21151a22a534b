"""PUT /objects/{identifier}/content: upload what an identifier means."""

from __future__ import annotations

import re
from email.message import Message
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from starlette.responses import Response

from objproc_api.bodies import json_answer, refuse_longer_than
from objproc_api.caller import caller_of
from objproc_api.contents import OPAQUE
from objproc_api.parts import parts_of
from objproc_api.paths import API, CONTROL, name_of, segment
from objproc_api.schemas import MEDIA_TYPE_PATTERN

router = APIRouter(prefix=API, tags=["objects"])
NAME_CHARS_MAX = 255
MEDIA_TYPE = re.compile(MEDIA_TYPE_PATTERN)


@router.put(
    "/objects/{identifier:path}/content",
    status_code=201,
    summary="Upload content",
    openapi_extra={"requestBody": {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def put_content(request: Request, identifier: str) -> Response:
    """Any size, streamed. 201 once it can be found, 202 if that takes longer than 5 s; it is durable either way."""
    parts, caller = parts_of(request), caller_of(request)
    name = name_of(identifier)
    refuse_longer_than(request, parts.storing.bytes_max, "content_too_large")
    stored = await parts.storing.store(
        name,
        request.stream(),
        media_type=media_type_of(request),
        name=file_name_of(request, name),
        caller=caller,
    )
    content = stored.content
    body = {
        "identifier": name,
        "sha256": content.sha256,
        "size": content.size,
        "media_type": content.media_type,
        "name": content.name,
        "links": {"self": f"{API}/objects/{segment(name)}", "process": f"{API}/process"},
    }
    return json_answer(body, 201 if stored.is_projected else 202, {"ETag": f'"{content.sha256}"'})


def media_type_of(request: Request) -> str:
    """The declared media type; the opaque one where none, or nothing sensible, was declared."""
    declared = request.headers.get("content-type", "").strip()
    return declared if MEDIA_TYPE.fullmatch(declared) else OPAQUE


def file_name_of(request: Request, identifier: str) -> str:
    """The declared file name without folders; else the last part of the identifier."""
    header = request.headers.get("content-disposition")
    for candidate in (declared_name(header) if header else "", identifier):
        name = CONTROL.sub("", PurePosixPath(candidate.replace("\\", "/")).name)[:NAME_CHARS_MAX]
        if name.strip(". "):
            return name
    return "content"


def declared_name(header: str) -> str:
    """`filename*` or `filename` of a Content-Disposition (RFC 6266, RFC 8187)."""
    message = Message()
    try:
        message["Content-Disposition"] = header.encode("latin-1").decode()
    except UnicodeDecodeError:
        message["Content-Disposition"] = header
    return message.get_filename("")
