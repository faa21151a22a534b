"""Every call of the API as a value: what to send and how to read the answer. Nothing here does I/O."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

import httpx

from objproc_client.answers import (
    Artifact,
    CatalogueEntry,
    Health,
    HistoryEvent,
    ObjectDetails,
    Outcome,
    Page,
    Progress,
    Status,
    Submission,
    UploadedContent,
)
from objproc_client.attempts import Repeat
from objproc_client.content import Bytes, Content, OnSent, content_of
from objproc_client.errors import ProtocolError, problem_of
from objproc_client.shapes import Answer

API = "/api/v1"
PAGE_ITEMS = 100

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One call; `patience_s` is how long the server was asked to hold the answer back."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    content: Content | None = None
    repeat: Repeat = Repeat.ALWAYS
    patience_s: float = 0.0
    answers_too: frozenset[int] = frozenset()
    """Statuses outside 2xx that are answers, not errors."""

    def answer(self, response: httpx.Response) -> T:
        """Read a complete response: the answer, or its ProblemError or ProtocolError."""
        if response.is_success or response.status_code in self.answers_too:
            return self.read(response)
        if response.is_error:
            raise problem_of(response)
        raise ProtocolError(f"{response.url} answers {response.status_code}, which is not this API's way")


class ProcessOptions(TypedDict, total=False):
    """What `process` takes beside identifier and operations; an absent field is not sent."""

    source: Any
    data: Any
    params: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any]
    tags: Sequence[str]
    priority: int
    not_before: datetime
    idempotency_key: str | None
    wait_s: float | None


def process(identifier: str, operations: Sequence[str], **options: Any) -> Call[Submission]:
    """Submit an object; without a key of the caller's own a new one makes every repeat harmless."""
    key = options.pop("idempotency_key", None) or str(uuid.uuid4())
    wait_s = options.pop("wait_s", None)
    plan = [operations] if isinstance(operations, str) else list(operations)
    body = {"identifier": identifier, "operations": plan}
    for name, value in options.items():
        if value is not None or name == "data":  # `null` is a document, too
            body[name] = rfc3339(value) if isinstance(value, datetime) else value
    return Call(
        method="POST",
        path=f"{API}/process",
        headers={"Idempotency-Key": key} | ({} if wait_s is None else {"Prefer": f"wait={ceil(wait_s)}"}),
        body=body,
        patience_s=wait_s or 0.0,
        read=read_submission,
    )


def put_content(
    identifier: str,
    origin: Bytes | AsyncIterable[bytes],
    *,
    media_type: str | None = None,
    name: str | None = None,
    on_sent: OnSent | None = None,
) -> Call[UploadedContent]:
    """Upload content in constant memory; what cannot be read twice is not sent twice."""
    content = content_of(origin, name=name, media_type=media_type, on_sent=on_sent)
    return Call(
        method="PUT",
        path=f"{API}/objects/{segment(identifier)}/content",
        headers=content.headers(),
        content=content,
        repeat=Repeat.ALWAYS if content.is_replayable else Repeat.UNSENT,
        read=reader(UploadedContent),
    )


def progress(object_id: str) -> Call[Progress]:
    """Ask how far an object is."""
    return get(f"/progress/{segment(object_id)}", reader(Progress))


def get_object(reference: str) -> Call[ObjectDetails]:
    """Ask for one object, by object id or by identifier (its newest run)."""
    return get(f"/objects/{segment(reference)}", reader(ObjectDetails))


def list_objects(
    state: str | None = None,
    identifier: str | None = None,
    limit: int = PAGE_ITEMS,
    cursor: str | None = None,
) -> Call[Page[ObjectDetails]]:
    """Ask for one page of objects."""
    query = {"state": state, "identifier": identifier, "limit": limit, "cursor": cursor}
    return get("/objects", pager(ObjectDetails), chosen(query))


def events(object_id: str, cursor: str | None = None, limit: int = PAGE_ITEMS) -> Call[Page[HistoryEvent]]:
    """Ask for one page of an object's history."""
    path = f"/objects/{segment(object_id)}/events"
    return get(path, pager(HistoryEvent), chosen({"limit": limit, "cursor": cursor}))


def artifacts(object_id: str) -> Call[Page[Artifact]]:
    """Ask what the operations left."""
    return get(f"/objects/{segment(object_id)}/artifacts", pager(Artifact))


def artifact_path(object_id: str, name: str) -> str:
    """Name the path of one artifact's bytes."""
    return f"{API}/objects/{segment(object_id)}/artifacts/{segment(name)}"


def cancel(object_id: str) -> Call[Outcome]:
    """Stop an object."""
    return decided("POST", f"{API}/objects/{segment(object_id)}/cancel")


def retry(object_id: str) -> Call[Outcome]:
    """Run again what failed, keeping what succeeded."""
    return decided("POST", f"{API}/objects/{segment(object_id)}/retry")


def delete(object_id: str, *, force: bool = False) -> Call[Outcome]:
    """Delete content and artifacts; `force` also while the object is active."""
    return decided("DELETE", f"{API}/objects/{segment(object_id)}", {"force": "true"} if force else {})


def operations() -> Call[Page[CatalogueEntry]]:
    """Ask for the catalogue of operations."""
    return get("/operations", pager(CatalogueEntry))


def status() -> Call[Status]:
    """Ask for services, partitions, backlog, workers."""
    return get("/status", reader(Status))


def health() -> Call[Health]:
    """Ask whether the whole works; an unhealthy whole is an answer, not an error."""
    return Call(method="GET", path="/health", repeat=Repeat.UNSENT, answers_too=frozenset({503}), read=read_health)


def get(path: str, read: Callable[[httpx.Response], T], query: Mapping[str, str | int] | None = None) -> Call[T]:
    """Describe a question that changes nothing."""
    return Call(method="GET", path=API + path, read=read, query=query or {})


def decided(method: str, path: str, query: Mapping[str, str | int] | None = None) -> Call[Outcome]:
    """Describe a command to an object; one that took effect would meet a conflict if it were sent again."""
    return Call(method=method, path=path, query=query or {}, repeat=Repeat.UNTOUCHED, read=read_outcome)


def chosen(query: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Keep the filters that are set."""
    return {name: value for name, value in query.items() if value is not None}


def segment(text: str) -> str:
    """Write any text as one path segment; dots alone would otherwise be taken as a way up."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def rfc3339(moment: datetime) -> str:
    """Write a time in UTC; one without a zone is taken as local."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def json_of(response: httpx.Response) -> Any:
    """Decode a response's JSON."""
    try:
        return response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "nothing")
        raise ProtocolError(f"{response.url} does not answer in JSON ({kind}): is this an objproc server?") from None


def reader(shape: type[A]) -> Callable[[httpx.Response], A]:
    """Read one shape."""
    return lambda response: shape.of(json_of(response))


def pager(shape: type[A]) -> Callable[[httpx.Response], Page[A]]:
    """Read a page of one shape; a bare list is a page without a successor."""

    def read_page(response: httpx.Response) -> Page[A]:
        raw = json_of(response)
        if isinstance(raw, list):
            raw = {"items": raw}
        if not isinstance(raw, Mapping) or not isinstance(raw.get("items"), list):
            raise ProtocolError(f"{response.url} answers without 'items'")
        items = tuple(shape.of(item, f"items[{index}]") for index, item in enumerate(raw["items"]))
        return Page(items=items, next_cursor=raw.get("next_cursor"))

    return read_page


def read_submission(response: httpx.Response) -> Submission:
    """Read 202 (submitted) or 200 (finished within the asked time)."""
    raw = json_of(response)
    submission = Submission.of(raw)
    return Submission(
        raw=submission.raw,
        object_id=submission.object_id,
        identifier=submission.identifier,
        state=submission.state,
        operations=submission.operations,
        position=submission.position,
        links=submission.links,
        is_replayed=response.headers.get("Idempotent-Replayed", "").lower() == "true",
        finished=ObjectDetails.of(raw) if response.status_code == httpx.codes.OK else None,
    )


def read_outcome(response: httpx.Response) -> Outcome:
    """Read 200 (decided) or 202 (not yet)."""
    is_decided = response.status_code == httpx.codes.OK
    return Outcome(is_decided=is_decided, progress=Progress.of(json_of(response)))


def read_health(response: httpx.Response) -> Health:
    """Read health from the status and, where there is one, the body."""
    raw = json_of(response)
    return Health.of({**(raw if isinstance(raw, Mapping) else {}), "is_healthy": response.is_success})
