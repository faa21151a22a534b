"""Cancel, retry, delete."""

from __future__ import annotations

import asyncio

import httpx

from objproc.domain.commands import RetryObject, TaskFailed
from objproc.domain.content import Failure
from objproc.domain.processing_object import ProcessingObject
from objproc.wire.codec import decode_command
from objproc_api.parts import Parts

from .conftest import Submit
from .test_objects import OBJECTS, finish, start
from .test_process import problem
from .world import NOON, World


def fail(world: World, object_id: str) -> None:
    failure = Failure(code="broken", message="it broke", operation="validate")
    world.give(
        TaskFailed(
            object_id=object_id,
            operation="validate",
            attempt=1,
            worker="w",
            started_at=NOON,
            failure=failure,
            is_retryable=False,
        )
    )


async def test_cancelling_what_waits_answers_when_it_has_stopped(client: httpx.AsyncClient, submit: Submit) -> None:
    object_id = (await submit(not_before="2099-01-01T00:00:00Z"))["object_id"]
    response = await client.post(f"{OBJECTS}/{object_id}/cancel")
    assert (response.status_code, response.json()["state"]) == (200, "CANCELLED")
    again = await client.post(f"{OBJECTS}/{object_id}/cancel")
    assert (again.status_code, again.json()["state"]) == (200, "CANCELLED")


async def test_cancelling_what_runs_on_answers_202_with_the_command(
    client: httpx.AsyncClient, world: World, submit: Submit, parts: Parts
) -> None:
    object_id = (await submit())["object_id"]
    start(world, object_id)
    parts.control._decision_wait_s = 0.0
    response = await client.post(f"{OBJECTS}/{object_id}/cancel")
    body = response.json()
    assert (response.status_code, body["state"]) == (202, "PROCESSING")
    current = world.state[object_id]
    assert isinstance(current, ProcessingObject)
    assert current.is_cancelling
    assert body["command_id"] in current.handled


async def test_a_finished_object_cannot_be_cancelled_or_retried(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = (await submit())["object_id"]
    finish(world, object_id)
    problem(await client.post(f"{OBJECTS}/{object_id}/cancel"), 409, "object_finished")
    problem(await client.post(f"{OBJECTS}/{object_id}/retry"), 409, "object_not_failed")
    assert len(world.appends) == 1


async def test_what_the_scheduler_turns_down_is_a_conflict_with_its_reason(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = (await submit())["object_id"]
    world.is_deciding = False
    cancelling = asyncio.create_task(client.post(f"{OBJECTS}/{object_id}/cancel"))
    while not world.commands:
        await asyncio.sleep(0)
    finish(world, object_id)
    world.decide_all()
    problem(await cancelling, 409, "object_finished")


async def test_a_failed_object_runs_again(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    object_id = (await submit())["object_id"]
    fail(world, object_id)
    body = (await client.get(f"/api/v1/progress/{object_id}")).json()
    assert body["error"] == {"code": "broken", "message": "it broke", "operation": "validate"}
    response = await client.post(f"{OBJECTS}/{object_id}/retry")
    assert (response.status_code, response.json()["state"]) == (200, "QUEUED")
    command, _ = decode_command(world.appends[-1][0].body)
    assert isinstance(command, RetryObject)
    assert command.content is None


async def test_a_retry_takes_up_the_newest_upload(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    await client.put(f"{OBJECTS}/file/content", content=b"one")
    object_id = (await submit("file"))["object_id"]
    fail(world, object_id)
    second = (await client.put(f"{OBJECTS}/file/content", content=b"two")).json()
    body = (await client.post(f"{OBJECTS}/{object_id}/retry")).json()
    assert body["state"] == "QUEUED"
    found = (await client.get(f"{OBJECTS}/{object_id}")).json()
    assert found["source"]["sha256"] == second["sha256"]


async def test_an_active_object_is_deleted_by_force_only(client: httpx.AsyncClient, submit: Submit) -> None:
    object_id = (await submit(not_before="2099-01-01T00:00:00Z"))["object_id"]
    problem(await client.delete(f"{OBJECTS}/{object_id}"), 409, "object_active")
    for _ in range(2):
        response = await client.delete(f"{OBJECTS}/{object_id}", params={"force": "true"})
        assert (response.status_code, response.json()["state"]) == (200, "DELETED")


async def test_without_a_scheduler_a_command_is_accepted_all_the_same(
    client: httpx.AsyncClient, world: World, submit: Submit, parts: Parts
) -> None:
    object_id = (await submit())["object_id"]
    world.is_deciding = False
    parts.control._decision_wait_s = 0.0
    response = await client.post(f"{OBJECTS}/{object_id}/cancel")
    assert response.status_code == 202
    assert len(world.commands) == 1


async def test_a_decision_that_the_feed_lost_is_found_in_the_history(
    client: httpx.AsyncClient, world: World, submit: Submit, parts: Parts
) -> None:
    object_id = (await submit(not_before="2099-01-01T00:00:00Z"))["object_id"]
    world.is_deciding = False
    cancelling = asyncio.create_task(client.post(f"{OBJECTS}/{object_id}/cancel"))
    while not world.commands:
        await asyncio.sleep(0)
    told = world.tell
    world.tell = lambda item: None  # type: ignore[method-assign]
    world.decide_all()
    world.tell = told  # type: ignore[method-assign]
    parts.hub._fall_behind()
    assert (await cancelling).json()["state"] == "CANCELLED"


async def test_commands_need_an_object_id(client: httpx.AsyncClient, submit: Submit) -> None:
    await submit("my-object")
    problem(await client.post(f"{OBJECTS}/my-object/cancel"), 404, "object_not_found")
    problem(await client.delete(f"{OBJECTS}/my-object"), 404, "object_not_found")
