"""A server that keeps the HTTP contract in memory, finishes every object at once, and fails on demand."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import unquote
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

PLAN = ("validate", "transform", "enrich", "analyze")
MOMENT = "2026-01-02T03:04:05.678901Z"


class CutError(Exception):
    """Makes uvicorn drop the connection in the middle of an answer."""


class CutResponse(Response):
    """An answer that breaks off: the work is done, but nobody hears of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin an answer and break the connection."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise CutError


@dataclass
class FakeObject:
    """An object with its whole history."""

    object_id: str
    identifier: str
    ending: str | None
    events: list[dict] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)

    def append(self, event: str, state: str, **more: object) -> None:
        """Append one event."""
        self.events.append(
            {
                "object_id": self.object_id,
                "identifier": self.identifier,
                "version": len(self.events) + 1,
                "event": event,
                "state": state,
                **more,
            }
        )

    @property
    def state(self) -> str:
        """The state after the newest event."""
        return self.events[-1]["state"]

    def progress(self) -> dict:
        """The progress shape."""
        failed = self.ending == "FAILED"
        done = {"operation": "validate", "state": "SUCCEEDED", "attempt": 1, "progress": 100.0, "error": None}
        error = {"code": "bad_rows", "detail": "row 7 has no \x1b[31mcolour"}
        last = {**done, "operation": "transform", "state": "FAILED", "attempt": 3, "error": error} if failed else done
        return {
            "object_id": self.object_id,
            "identifier": self.identifier,
            "state": self.state,
            "version": len(self.events),
            "progress": self.events[-1].get("progress", 0.0),
            "operations": [{**done, "started_at": MOMENT, "finished_at": MOMENT, "novel": True}, last],
            "error": error if failed else None,
            "submitted_at": MOMENT,
            "finished_at": None,
            "novel": {"a": 1},
        }

    def artifact_list(self) -> list[dict]:
        """The artifacts' shapes."""
        return [
            {
                "name": name,
                "operation": "analyze",
                "media_type": "application/json",
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "href": f"/api/v1/objects/{self.object_id}/artifacts/{name}",
            }
            for name, content in self.artifacts.items()
        ]


def problem(status: int, code: str, detail: str, errors: list[dict] | None = None, **headers: str) -> Response:
    """A problem document."""
    body = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code}
    return JSONResponse(
        body | ({"errors": errors} if errors else {}),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


class FakeServer:
    """State, faults to come, and what was asked."""

    def __init__(self) -> None:
        """Start empty and well."""
        self.objects: dict[str, FakeObject] = {}
        self.contents: dict[str, bytes] = {}
        self.object_id_by_key: dict[str, str] = {}
        self.requests: list[Request] = []
        self.bodies: list[dict] = []
        self.faults: deque[int | str] = deque()
        self.fault_headers: dict[str, str] = {}
        self.stream_cuts: deque[int] = deque()
        self.ends_streams_cleanly = False
        self.artifact_cuts: deque[int] = deque()
        self.ending_by_identifier: dict[str, str | None] = {}
        self.is_healthy = True
        self.hides_deleted = False
        objects = "/api/v1/objects"
        self.app = Starlette(
            routes=[
                Route("/api/v1/process", self.process, methods=["POST"]),
                Route("/api/v1/progress/{id}", self.progress),
                Route("/api/v1/progress/{id}/stream", self.stream),
                Route("/api/v1/operations", self.operations),
                Route("/api/v1/status", self.status),
                Route("/health", self.health),
                Route(objects, self.list_objects),
                Route(objects + "/{id}/content", self.put_content, methods=["PUT"]),
                Route(objects + "/{id}/cancel", self.cancel, methods=["POST"]),
                Route(objects + "/{id}/retry", self.retry, methods=["POST"]),
                Route(objects + "/{id}/events", self.history),
                Route(objects + "/{id}/artifacts", self.artifacts),
                Route(objects + "/{id}/artifacts/{name}", self.artifact),
                Route("/stored/{id}/{name}", self.stored),
                Route(objects + "/{id:path}", self.get_object, methods=["GET"]),
                Route(objects + "/{id}", self.delete, methods=["DELETE"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, unless a fault is due."""
        request = Request(scope)
        self.requests.append(request)
        if self.faults and isinstance(self.faults[0], int):
            status = self.faults.popleft()
            await problem(status, "not_now", "come again", **self.fault_headers)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def submit(self, identifier: str) -> FakeObject:
        """Let an object run to its end at once."""
        found = FakeObject(str(uuid4()), identifier, self.ending_by_identifier.get(identifier, "COMPLETED"))
        found.append("ObjectSubmitted", "QUEUED", progress=0.0)
        found.append("OperationStarted", "PROCESSING", progress=0.0, operation="validate")
        found.append("OperationSucceeded", "PROCESSING", progress=25.0, operation="validate")
        if found.ending is not None:
            found.append(f"Object{found.ending.title()}", found.ending, progress=100.0)
            found.artifacts = {"profile.json": b'{"rows": 3}', "report.html": b"<p>" + b"x" * 100_000}
        self.objects[found.object_id] = found
        return found

    def find(self, request: Request) -> FakeObject | None:
        """Find by object id, or the newest of an identifier."""
        reference = unquote(request.path_params["id"])
        named = [item for item in self.objects.values() if item.identifier == reference]
        return self.objects.get(reference) or (named[-1] if named else None)

    async def process(self, request: Request) -> Response:
        """Submit; `explode` is the unknown operation."""
        body = await request.json()
        self.bodies.append(body)
        if "explode" in body["operations"]:
            errors = [{"pointer": "/operations/0", "detail": "there is no operation 'explode'"}]
            return problem(422, "unknown_operation", "The plan cannot be made.", errors)
        key = request.headers["Idempotency-Key"]
        is_replayed = key in self.object_id_by_key
        if not is_replayed:
            self.object_id_by_key[key] = self.submit(body["identifier"]).object_id
        found = self.objects[self.object_id_by_key[key]]
        if self.faults and self.faults[0] == "cut":
            self.faults.popleft()
            return CutResponse()
        headers = {"Idempotent-Replayed": "true"} if is_replayed else {}
        if "wait=" in request.headers.get("Prefer", ""):
            return JSONResponse(found.progress() | {"artifacts": found.artifact_list()}, headers=headers)
        answer = {"object_id": found.object_id, "identifier": found.identifier, "state": "PENDING"}
        plan = {"operations": list(PLAN), "position": "0:1", "links": {"self": "/x"}}
        return JSONResponse(answer | plan, 202, headers)

    async def put_content(self, request: Request) -> Response:
        """Keep content."""
        content = b"".join([chunk async for chunk in request.stream()])
        if self.faults and self.faults[0] == "cut":
            self.faults.popleft()
            return CutResponse()
        identifier = unquote(request.path_params["id"])
        self.contents[identifier] = content
        described = {"identifier": identifier, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        media_type = request.headers.get("Content-Type")
        return JSONResponse(described | {"media_type": media_type, "name": None}, 201)

    async def progress(self, request: Request) -> Response:
        """Tell progress."""
        found = self.find(request)
        if found and found.state == "DELETED" and self.hides_deleted:
            found = None
        return JSONResponse(found.progress()) if found else problem(404, "not_found", "There is no such object.")

    async def stream(self, request: Request) -> Response:
        """Stream the events after Last-Event-ID."""
        found = self.find(request)
        if found is None:
            return problem(404, "not_found", "There is no such object.")
        after = int(request.headers.get("Last-Event-ID", 0))
        return StreamingResponse(self.frames(found, after), media_type="text/event-stream")

    async def frames(self, found: FakeObject, after: int) -> AsyncIterator[bytes]:
        """Send frames until the end, a cut, or forever."""
        cut_after = self.stream_cuts.popleft() if self.stream_cuts else None
        yield b": heartbeat\n\nretry: 1\n\n"
        for sent, event in enumerate(found.events[after:]):
            if sent == cut_after:
                if self.ends_streams_cleanly:
                    return
                yield f"id: {event['version']}\nevent: {event['event']}\nda".encode()
                raise CutError
            yield f"id: {event['version']}\nevent: {event['event']}\ndata: {json.dumps(event)}\n\n".encode()
            moving = {**event, "event": "progress", "progress": 33.0}
            if event["state"] == "PROCESSING":
                yield f"event: progress\ndata: {json.dumps(moving)}\n\n".encode()
        if found.state == "PROCESSING" and not self.ends_streams_cleanly:
            await asyncio.Event().wait()

    async def get_object(self, request: Request) -> Response:
        """Tell everything of one object."""
        found = self.find(request)
        if found is None:
            return problem(404, "not_found", "There is no such object.")
        details = {"metadata": {"a": 1}, "tags": ["t"], "source": None, "artifacts": found.artifact_list()}
        return JSONResponse(found.progress() | details)

    async def list_objects(self, request: Request) -> Response:
        """Tell a page of objects; the cursor is the number of objects before it."""
        query = request.query_params
        start, limit = int(query.get("cursor", 0)), int(query["limit"])
        found = [item for item in self.objects.values() if query.get("state") in (None, item.state)]
        following = str(start + limit) if start + limit < len(found) else None
        items = [item.progress() for item in found[start : start + limit]]
        return JSONResponse({"items": items, "next_cursor": following})

    async def history(self, request: Request) -> Response:
        """Tell the history, two events a page."""
        start = int(request.query_params.get("cursor", 0))
        events = self.find(request).events
        items = [
            {"seq": 9, "partition": 0, "version": item["version"], "type": item["event"], "data": item, "at": MOMENT}
            for item in events[start : start + 2]
        ]
        return JSONResponse({"items": items, "next_cursor": str(start + 2) if start + 2 < len(events) else None})

    async def artifacts(self, request: Request) -> Response:
        """List artifacts."""
        return JSONResponse({"items": self.find(request).artifact_list()})

    async def artifact(self, request: Request) -> Response:
        """Send the caller to where the bytes are."""
        location = f"/stored/{request.path_params['id']}/{request.path_params['name']}"
        return Response(status_code=307, headers={"Location": location})

    async def stored(self, request: Request) -> Response:
        """Send bytes, with ranges."""
        content = self.find(request).artifacts[request.path_params["name"]]
        headers, status, start = {}, 200, 0
        if (asked := request.headers.get("Range")) is not None:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers, status = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}, 206
        cut_after = self.artifact_cuts.popleft() if self.artifact_cuts else None

        async def chunks() -> AsyncIterator[bytes]:
            yield content[start:] if cut_after is None else content[start : start + cut_after]
            if cut_after is not None:
                raise CutError

        return StreamingResponse(chunks(), status, headers)

    async def cancel(self, request: Request) -> Response:
        """Cancel what is not over."""
        found = self.find(request)
        if found.ending is not None:
            return problem(409, "invalid_transition", f"The object is {found.state} and cannot be cancelled.")
        found.append("ObjectCancelled", "CANCELLED")
        return JSONResponse(found.progress())

    async def retry(self, request: Request) -> Response:
        """Accept, undecided."""
        return JSONResponse(self.find(request).progress(), 202)

    async def delete(self, request: Request) -> Response:
        """Delete what is over, or anything by force."""
        found = self.find(request)
        if found.ending is None and request.query_params.get("force") != "true":
            return problem(409, "object_active", "The object is active.")
        found.append("ObjectDeleted", "DELETED")
        return JSONResponse(found.progress())

    async def operations(self, request: Request) -> Response:
        """Tell the catalogue."""
        return JSONResponse({"items": [{"name": "validate", "version": "1", "requires": [], "accepts": ["text/csv"]}]})

    async def status(self, request: Request) -> Response:
        """Tell how the system is."""
        return JSONResponse(
            {
                "services": {"api": {"state": "up", "replicas": 1}, "worker": {"state": "up", "replicas": 3}},
                "partitions": [{"partition": 0, "backlog": 2}, {"partition": 1, "backlog": 0}],
                "backlog": 2,
                "rates": {"completed_per_s": 1.5},
            }
        )

    async def health(self, request: Request) -> Response:
        """Tell whether the whole works."""
        return JSONResponse({"status": "ok" if self.is_healthy else "degraded"}, 200 if self.is_healthy else 503)
