"""One key, one object."""

from __future__ import annotations

import asyncio

import httpx

from .test_process import PLAIN, PROCESS, problem
from .world import World

KEY = {"idempotency-key": "order-7"}


async def test_a_repeat_names_the_same_object_and_says_so(client: httpx.AsyncClient, world: World) -> None:
    first = await client.post(PROCESS, json=PLAIN, headers=KEY)
    again = await client.post(PROCESS, json=dict(reversed(PLAIN.items())), headers=KEY)
    assert "idempotent-replayed" not in first.headers
    assert again.status_code == 202
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["object_id"] == first.json()["object_id"]
    assert (first.json()["state"], again.json()["state"]) == ("PENDING", "QUEUED")
    assert len(world.log[first.json()["object_id"]]) == 1


async def test_a_repeat_before_the_decision_meets_the_pending_one(client: httpx.AsyncClient, world: World) -> None:
    world.is_deciding = False
    first = await client.post(PROCESS, json=PLAIN, headers=KEY)
    again = await client.post(PROCESS, json=PLAIN, headers=KEY)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["object_id"] == first.json()["object_id"]
    assert len(world.commands) == 1


async def test_another_request_under_the_key_is_refused_whenever_it_comes(
    client: httpx.AsyncClient, world: World
) -> None:
    world.is_deciding = False
    first = await client.post(PROCESS, json=PLAIN, headers=KEY)
    other = PLAIN | {"priority": 1}
    problem(await client.post(PROCESS, json=other, headers=KEY), 422, "idempotency_key_reused")
    world.is_deciding = True
    problem(await client.post(PROCESS, json=other, headers=KEY), 422, "idempotency_key_reused")
    problem(await client.post(PROCESS, json=other, headers=KEY), 422, "idempotency_key_reused")
    assert len(world.log[first.json()["object_id"]]) == 1


async def test_of_many_at_once_one_is_new(client: httpx.AsyncClient, world: World) -> None:
    answers = await asyncio.gather(*(client.post(PROCESS, json=PLAIN, headers=KEY) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["object_id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_other_keys_and_no_key_make_other_objects(client: httpx.AsyncClient) -> None:
    headers: list[dict[str, str]] = [{}, {}, KEY, {"idempotency-key": "order-8"}]
    answers = [await client.post(PROCESS, json=PLAIN, headers=one) for one in headers]
    assert len({answer.json()["object_id"] for answer in answers}) == 4
