"""Finding objects, listing them, and their history."""

from __future__ import annotations

import asyncio
import dataclasses
from urllib.parse import quote

import httpx
import pytest

from objproc.domain.commands import TaskStarted, TaskSucceeded
from objproc.domain.content import Artifact
from objproc.domain.processing_object import ProcessingObject
from objproc_api.parts import Parts

from .conftest import Submit
from .test_process import problem
from .world import NOON, TestClock, World

OBJECTS = "/api/v1/objects"
ARTIFACT = Artifact(name="report.json", media_type="application/json", size=2, sha256="b" * 64)


def start(world: World, object_id: str) -> None:
    world.give(TaskStarted(object_id=object_id, operation="validate", attempt=1, worker="w", at=NOON))


def finish(world: World, object_id: str, *artifacts: Artifact) -> None:
    """Let the object's `validate` succeed."""
    done = TaskSucceeded(
        object_id=object_id,
        operation="validate",
        attempt=1,
        worker="w",
        started_at=NOON,
        artifacts=artifacts,
        summary={"rows": 3},
    )
    world.give(done)


async def test_an_undecided_object_is_pending_never_missing(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    world.is_deciding = False
    object_id = (await submit("a/b"))["object_id"]
    for path in (f"/api/v1/progress/{object_id}", f"{OBJECTS}/{object_id}", f"{OBJECTS}/a/b"):
        body = (await client.get(path)).json()
        assert (body["object_id"], body["state"], body["version"]) == (object_id, "PENDING", 0)
        assert body["submitted_at"] == "2026-01-02T12:00:00Z"


async def test_progress_shows_how_far_the_running_operation_is(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = (await submit("x", "transform"))["object_id"]
    start(world, object_id)
    world.running[object_id] = {"validate": (1, 50.0), "transform": (1, 90.0)}
    body = (await client.get(f"/api/v1/progress/{object_id}")).json()
    assert (body["state"], body["progress"]) == ("PROCESSING", 25.0)
    first, second = body["operations"]
    assert first == {
        "operation": "validate",
        "state": "RUNNING",
        "attempt": 1,
        "progress": 50.0,
        "queued_at": "2026-01-02T12:00:00Z",
        "started_at": "2026-01-02T12:00:00Z",
        "finished_at": None,
        "retry_at": None,
        "worker": "w",
        "error": None,
        "cached": False,
        "summary": {},
    }
    assert (second["state"], second["progress"]) == ("PENDING", 0.0)


async def test_progress_of_an_older_attempt_counts_for_nothing(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = (await submit())["object_id"]
    start(world, object_id)
    world.running[object_id] = {"validate": (0, 50.0)}
    assert (await client.get(f"/api/v1/progress/{object_id}")).json()["progress"] == 0.0


async def test_an_identifier_means_its_newest_run(client: httpx.AsyncClient, submit: Submit) -> None:
    await submit("same")
    newest = (await submit("same"))["object_id"]
    body = (await client.get(f"{OBJECTS}/same")).json()
    assert body["object_id"] == newest
    assert body["source"]["name"] == "request.json"
    assert body["artifacts"] == []


async def test_a_pending_run_is_newer_than_a_projected_one(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    await submit("same")
    world.is_deciding = False
    newest = (await submit("same"))["object_id"]
    assert (await client.get(f"{OBJECTS}/same")).json()["object_id"] == newest
    world.decide_all()
    assert (await client.get(f"{OBJECTS}/same")).json()["object_id"] == newest


async def test_what_this_replica_acknowledged_is_forgotten_after_a_while(
    world: World, clock: TestClock, parts: Parts, submit: Submit
) -> None:
    world.is_deciding = False
    await submit("mine")
    clock.ahead_s += 6.0
    with pytest.raises(Exception, match="there is no object"):
        await parts.lookup.resolve("default", "mine")


async def test_what_another_replica_acknowledged_is_waited_for(
    client: httpx.AsyncClient, world: World, parts: Parts, submit: Submit
) -> None:
    world.is_deciding = False
    object_id = (await submit("theirs"))["object_id"]
    parts.lookup._submitted.clear()
    parts.lookup._miss_wait_s = 10.0
    asking = asyncio.create_task(client.get(f"{OBJECTS}/theirs"))
    while not world.lists:
        await asyncio.sleep(0)
    world.decide_all()
    assert (await asking).json()["object_id"] == object_id


async def test_a_name_like_a_uuid_is_an_object_id_first_and_an_identifier_then(
    client: httpx.AsyncClient, submit: Submit
) -> None:
    object_id = (await submit("x"))["object_id"]
    assert (await client.get(f"{OBJECTS}/{object_id.upper()}")).json()["identifier"] == "x"
    looks_like_one = "00000000-0000-4000-8000-000000000000"
    await submit(looks_like_one)
    assert (await client.get(f"{OBJECTS}/{looks_like_one}")).json()["identifier"] == looks_like_one


@pytest.mark.parametrize("identifier", ["a/b", "x/events", "a b", "..", "ü/%2F?#&", "{}", "x/artifacts/y", "*"])
async def test_any_printable_identifier_can_be_asked_for(
    client: httpx.AsyncClient, submit: Submit, identifier: str
) -> None:
    object_id = (await submit(identifier))["object_id"]
    path = quote(identifier, safe="").replace(".", "%2E")
    assert (await client.get(f"{OBJECTS}/{path}")).json()["object_id"] == object_id
    events = await client.get(f"{OBJECTS}/{path}/events")
    assert events.json()["items"][0]["type"] == "ObjectSubmitted"


async def test_what_is_not_there_is_a_problem(client: httpx.AsyncClient) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for path in (f"{OBJECTS}/x", f"{OBJECTS}/{nobody}", f"/api/v1/progress/{nobody}", "/api/v1/progress/x/stream"):
        problem(await client.get(path), 404, "object_not_found")
    problem(await client.get(f"{OBJECTS}/{'x' * 513}"), 422, "invalid_request")
    problem(await client.get(f"{OBJECTS}/a%00b"), 422, "invalid_request")


async def test_another_tenant_s_object_is_not_there(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    object_id = (await submit())["object_id"]
    theirs = world.state[object_id]
    assert isinstance(theirs, ProcessingObject)
    world.state[object_id] = dataclasses.replace(theirs, tenant="another")
    for path in ("", "/events", "/artifacts"):
        problem(await client.get(f"{OBJECTS}/{object_id}{path}"), 404, "object_not_found")
    problem(await client.post(f"{OBJECTS}/{object_id}/cancel"), 404, "object_not_found")
    assert (await client.get(OBJECTS)).json()["items"] == []


# ---- lists ----


async def test_pages_follow_each_other_newest_first_whatever_comes_in_between(
    client: httpx.AsyncClient, submit: Submit
) -> None:
    ids = [(await submit(f"object-{number}"))["object_id"] for number in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(OBJECTS, params={"limit": 2, **cursor})).json()
        seen += [item["object_id"] for item in page["items"]]
        await submit("newcomer")
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ids[::-1]


@pytest.mark.parametrize(("query", "names"), [
    ("identifier=a", ["a"]),
    ("identifier=a*", ["a/2", "a/1", "a"]),
    ("identifier=a/*&limit=1", ["a/2"]),
    ("state=QUEUED&identifier=b", ["b"]),
    ("state=FAILED", []),
    ("state=FAILED&state=QUEUED&identifier=b", ["b"]),
])  # fmt: skip
async def test_filters_combine(client: httpx.AsyncClient, submit: Submit, query: str, names: list[str]) -> None:
    for name in ("a", "b", "a/1", "a/2"):
        await submit(name)
    assert [item["identifier"] for item in (await client.get(f"{OBJECTS}?{query}")).json()["items"]] == names


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "state=LOST", "cursor=%21", "cursor=YTpi", "identifier=%00"])
async def test_a_wrong_filter_is_named(client: httpx.AsyncClient, query: str) -> None:
    body = problem(await client.get(f"{OBJECTS}?{query}"), 422, "invalid_request")
    assert body["errors"][0]["pointer"].startswith(f"/query/{query.partition('=')[0]}")


# ---- history ----


async def test_the_history_tells_each_event_with_its_place_and_cause(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = (await submit(data={"secret": 1}))["object_id"]
    finish(world, object_id)
    first = (await client.get(f"{OBJECTS}/{object_id}/events", params={"limit": 3})).json()
    second = (await client.get(f"{OBJECTS}/{object_id}/events", params={"cursor": first["next_cursor"]})).json()
    items = first["items"] + second["items"]
    assert [(item["version"], item["type"]) for item in items] == [
        (1, "ObjectSubmitted"),
        (2, "OperationQueued"),
        (3, "OperationStarted"),
        (4, "OperationSucceeded"),
        (5, "ObjectCompleted"),
    ]
    assert second["next_cursor"] is None
    submitted, succeeded = items[0], items[3]
    assert submitted["actor"] == "anonymous"
    assert submitted["cause"] == submitted["correlation_id"] == object_id
    assert (submitted["hash"], submitted["prev"]) == (world.log[object_id][0].hash, world.log[object_id][0].prev)
    assert "inline" not in submitted["data"]["content"]
    assert succeeded["data"]["summary"] == {"rows": 3}


async def test_the_history_of_a_deleted_object_keeps_the_skeleton_only(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = (await submit(metadata={"name": "Ada"}, tags=["t"]))["object_id"]
    finish(world, object_id)
    assert (await client.delete(f"{OBJECTS}/{object_id}")).json()["state"] == "DELETED"
    text = (await client.get(f"{OBJECTS}/{object_id}/events")).text
    assert "ObjectDeleted" in text
    assert "Ada" not in text
    assert "rows" not in text
