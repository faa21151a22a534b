"""Submitting: plans, refusals, content."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from objproc.domain.commands import ProcessObject
from objproc.streams.ports import AppendMode
from objproc.wire.codec import decode_command

from .conftest import Submit
from .world import World

PROCESS = "/api/v1/process"
PLAIN = {"identifier": "my-object", "operations": ["validate"]}


def command_of(world: World) -> ProcessObject:
    command, _ = decode_command(world.appends[-1][0].body)
    assert isinstance(command, ProcessObject)
    return command


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() == {"type", "title", "status", "detail", "code", "instance", "errors"}
    assert body["code"] == code
    assert body["status"] == status
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in body["errors"]]


async def test_a_submission_is_durable_and_plans_what_its_operations_need(
    client: httpx.AsyncClient, world: World
) -> None:
    world.is_deciding = False
    response = await client.post(PROCESS, json={"identifier": "my-object-123", "operations": ["analyze"]})
    assert response.status_code == 202
    body = response.json()
    object_id = body["object_id"]
    assert body == {
        "object_id": object_id,
        "identifier": "my-object-123",
        "state": "PENDING",
        "operations": ["validate", "transform", "analyze"],
        "position": body["position"],
        "links": {
            "self": f"/api/v1/objects/{object_id}",
            "progress": f"/api/v1/progress/{object_id}",
            "stream": f"/api/v1/progress/{object_id}/stream",
            "events": f"/api/v1/objects/{object_id}/events",
            "artifacts": f"/api/v1/objects/{object_id}/artifacts",
        },
    }
    assert response.headers["location"] == f"/api/v1/objects/{object_id}"
    assert [append.mode for append in world.appends[0]] == [AppendMode.NEW]
    assert body["position"].endswith(":1")


async def test_planning_only_appends_nothing(client: httpx.AsyncClient, world: World) -> None:
    response = await client.post(PROCESS, params={"plan": "true"}, json=PLAIN | {"operations": ["analyze"]})
    assert response.status_code == 200
    assert response.json()["operations"] == ["validate", "transform", "analyze"]
    assert world.appends == []


async def test_an_unknown_operation_is_refused_with_its_place_and_the_known_names(client: httpx.AsyncClient) -> None:
    response = await client.post(PROCESS, json=PLAIN | {"operations": ["validate", "nope"]})
    body = problem(response, 422, "unknown_operation")
    assert pointers(body) == ["/operations/1"]
    assert "analyze, transform, validate" in body["detail"]


async def test_an_operation_whose_requirement_nobody_offers_makes_no_plan(
    client: httpx.AsyncClient, world: World
) -> None:
    del world.announced["validate"]
    body = problem(await client.post(PROCESS, json=PLAIN | {"operations": ["analyze"]}), 422, "invalid_plan")
    assert "nobody offers" in body["detail"]


async def test_every_wrong_field_is_named(client: httpx.AsyncClient, world: World) -> None:
    wrong = {"identifier": "a\nb", "operations": [], "priority": "3", "x/y": 1, "tags": ["ok", ""], "not_before": 5}
    body = problem(await client.post(PROCESS, json=wrong), 422, "invalid_request")
    assert sorted(pointers(body)) == ["/identifier", "/not_before", "/operations", "/priority", "/tags/1", "/x~1y"]
    assert world.appends == []


async def test_wrong_params_are_named(client: httpx.AsyncClient) -> None:
    params = {"validate": {"rows_max": "many", "colour": 1}, "analyze": {}}
    body = problem(await client.post(PROCESS, json=PLAIN | {"params": params}), 422, "invalid_params")
    assert sorted(pointers(body)) == ["/params/analyze", "/params/validate/colour", "/params/validate/rows_max"]


async def test_broken_json_is_refused_with_its_place(client: httpx.AsyncClient) -> None:
    response = await client.post(PROCESS, content=b'{"a":\n 1,}', headers={"content-type": "application/json"})
    assert "line 2, column 3" in problem(response, 400, "invalid_json")["detail"]


async def test_a_body_that_is_not_called_json_is_refused(client: httpx.AsyncClient) -> None:
    problem(await client.post(PROCESS, content=orjson.dumps(PLAIN)), 415, "unsupported_media_type")


@pytest.mark.parametrize(("size", "code"), [(1_100_000, "data_too_large"), (2_200_000, "request_too_large")])
async def test_what_is_too_large_is_refused(client: httpx.AsyncClient, size: int, code: str) -> None:
    problem(await client.post(PROCESS, json=PLAIN | {"data": "x" * size}), 413, code)


async def test_a_large_body_without_a_length_is_refused(client: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 100_000

    response = await client.post(PROCESS, content=endless(), headers={"content-type": "application/json"})
    problem(response, 413, "request_too_large")


async def test_without_a_worker_nothing_can_be_planned_yet(client: httpx.AsyncClient, world: World) -> None:
    world.announced.clear()
    response = await client.post(PROCESS, json=PLAIN)
    problem(response, 503, "no_operations")
    assert response.headers["retry-after"] == "2"


async def test_a_server_that_is_away_is_told_as_such(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    await submit()
    world.go_away()
    response = await client.post(PROCESS, json=PLAIN)
    assert "Redis" in problem(response, 503, "unavailable")["detail"]
    assert response.headers["retry-after"] == "1"


async def test_a_bug_is_told_without_internals(client: httpx.AsyncClient, world: World) -> None:
    world.announced["broken"] = b"{secret"
    assert "secret" not in str(problem(await client.post(PROCESS, json=PLAIN), 500, "internal"))


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nowhere", 404, "not_found"),
    ("PUT", PROCESS, 405, "method_not_allowed"),
    ("GET", "/api/v1/objects/", 404, "not_found"),
])  # fmt: skip
async def test_unknown_routes_are_problems(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    problem(await client.request(method, path), status, code)


async def test_data_travels_along_exactly_as_it_was_sent(client: httpx.AsyncClient, world: World) -> None:
    body = b'{"identifier": "a", "operations": ["validate"], "data": [{"n": 123456789012345678901234567890}] }'
    await client.post(PROCESS, content=body, headers={"content-type": "application/json"})
    content = command_of(world).content
    assert content.inline == '[{"n": 123456789012345678901234567890}]'
    assert (content.name, content.media_type) == ("data.json", "application/json")


async def test_null_is_data(submit: Submit, world: World) -> None:
    await submit(data=None)
    assert command_of(world).content.inline == "null"


async def test_large_data_goes_to_s3_first(submit: Submit, world: World) -> None:
    await submit(data="x" * 50_000)
    content = command_of(world).content
    assert content.inline is None
    assert world.files[f"default/{content.sha256}"] == b'"' + b"x" * 50_000 + b'"'


async def test_without_any_content_the_object_is_its_request(submit: Submit, world: World) -> None:
    await submit("plain", metadata={"colour": "red"})
    content = command_of(world).content
    assert orjson.loads(content.inline or "") == {"identifier": "plain", "metadata": {"colour": "red"}}
    assert content.name == "request.json"


@pytest.mark.parametrize("is_projected", [True, False])
async def test_the_newest_upload_under_the_identifier_is_the_content(
    client: httpx.AsyncClient, submit: Submit, world: World, parts: Any, is_projected: bool
) -> None:
    world.is_deciding = is_projected
    parts.storing._projection_wait_s = 0.0 if not is_projected else 5.0
    await client.put("/api/v1/objects/a/b.csv/content", content=b"x,y\n1,2\n", headers={"content-type": "text/csv"})
    await submit("a/b.csv")
    content = command_of(world).content
    assert (content.name, content.media_type, content.is_upload) == ("b.csv", "text/csv", True)


async def test_a_source_names_uploaded_content(client: httpx.AsyncClient, submit: Submit, world: World) -> None:
    digest = "a" * 64
    source = {"sha256": digest, "media_type": "text/csv", "name": "a.csv"}
    body = problem(await client.post(PROCESS, json=PLAIN | {"source": source}), 422, "unknown_content")
    assert pointers(body) == ["/source/sha256"]
    world.files[f"default/{digest}"] = b"1234"
    await submit(source=source)
    content = command_of(world).content
    assert (content.size, content.media_type, content.name, content.is_upload) == (4, "text/csv", "a.csv", False)


async def test_sources_that_are_not_there_yet_are_refused_with_a_hint(client: httpx.AsyncClient) -> None:
    response = await client.post(PROCESS, json=PLAIN | {"source": "s3://bucket/key"})
    assert "not supported yet" in problem(response, 422, "invalid_request")["detail"]


async def test_data_and_source_together_are_refused(client: httpx.AsyncClient) -> None:
    both = PLAIN | {"source": {"sha256": "a" * 64}, "data": 1}
    assert pointers(problem(await client.post(PROCESS, json=both), 422, "invalid_request")) == ["/data"]


async def test_headers_tell_the_correlation_and_the_trace(client: httpx.AsyncClient, world: World) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await client.post(PROCESS, json=PLAIN, headers={"x-correlation-id": "order 7", "traceparent": trace})
    _, origin = decode_command(world.appends[-1][0].body)
    assert (origin.correlation_id, origin.traceparent, origin.actor) == ("order 7", trace, "anonymous")
    assert command_of(world).correlation_id == "order 7"


async def test_a_malformed_trace_is_as_none_and_the_object_id_correlates(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.post(PROCESS, json=PLAIN, headers={"traceparent": "00-0-0-01"})
    _, origin = decode_command(world.appends[-1][0].body)
    assert origin.traceparent is None
    assert origin.correlation_id == command_of(world).object_id


@pytest.mark.parametrize("name", ["x-correlation-id", "idempotency-key"])
async def test_headers_that_cannot_be_kept_are_refused(client: httpx.AsyncClient, name: str) -> None:
    problem(await client.post(PROCESS, json=PLAIN, headers={name: "x" * 300}), 400, "invalid_header")


LATER = PLAIN | {"not_before": "2099-01-01T00:00:00Z"}


async def test_waiting_answers_with_the_finished_object(client: httpx.AsyncClient, world: World) -> None:
    waiting = asyncio.create_task(client.post(PROCESS, json=LATER, headers={"prefer": "respond-async, wait=10"}))
    (object_id,) = await known(world)
    assert (await client.post(f"/api/v1/objects/{object_id}/cancel")).status_code == 200
    response = await waiting
    assert response.status_code == 200
    assert response.json()["state"] == "CANCELLED"
    assert response.headers["preference-applied"] == "wait=10"


async def test_waiting_in_vain_answers_202(client: httpx.AsyncClient) -> None:
    response = await client.post(PROCESS, json=LATER, headers={"prefer": "wait=0.01"})
    assert response.status_code == 202
    assert "preference-applied" not in response.headers


async def test_waiting_for_what_is_finished_already_answers_at_once(client: httpx.AsyncClient, world: World) -> None:
    headers = {"idempotency-key": "k", "prefer": "wait=10"}
    waiting = asyncio.create_task(client.post(PROCESS, json=LATER, headers=headers))
    (object_id,) = await known(world)
    await client.post(f"/api/v1/objects/{object_id}/cancel")
    await waiting
    again = await client.post(PROCESS, json=LATER, headers=headers)
    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_repeat_may_wait_for_the_first_one(client: httpx.AsyncClient, world: World) -> None:
    key = {"idempotency-key": "k"}
    object_id = (await client.post(PROCESS, json=LATER, headers=key)).json()["object_id"]
    reads = world.reads
    waiting = asyncio.create_task(client.post(PROCESS, json=LATER, headers=key | {"prefer": "wait=10"}))
    while world.reads == reads:
        await asyncio.sleep(0)
    await client.post(f"/api/v1/objects/{object_id}/cancel")
    response = await waiting
    assert (response.status_code, response.json()["state"]) == (200, "CANCELLED")
    assert response.headers["idempotent-replayed"] == "true"


async def known(world: World) -> list[str]:
    """Ids of the world's objects, once there are some."""
    while not world.log:
        await asyncio.sleep(0)
    return list(world.log)
