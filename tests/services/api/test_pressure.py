"""New work is turned away while Redis is nearly full; what ends work is not, and reading goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx
import pytest

from objproc.errors import OverloadedError, TransientError, UnconfirmedError
from objproc.streams.ports import Append, Appended, Load, Standing
from objproc_api.parts import Parts

from .conftest import Submit
from .test_process import PLAIN, PROCESS, problem
from .world import World

GIB = 1 << 30


async def look(parts: Parts, world: World, *, share: float = 0.0, backlog: int = 0, bytes_max: int = GIB) -> None:
    world.fullness = Load(int(share * GIB), bytes_max, backlog)
    await parts.pressure.step()


async def is_accepting(client: httpx.AsyncClient) -> bool:
    response = await client.post(PROCESS, json=PLAIN)
    if response.status_code != 202:
        problem(response, 503, "overloaded")
        assert int(response.headers["retry-after"]) > 0
    told: bool = (await client.get("/readyz")).json()["pressure"]["is_accepting"]
    assert told is (response.status_code == 202)
    return told


async def test_above_the_high_water_mark_commands_are_refused_and_below_the_low_one_accepted_again(
    client: httpx.AsyncClient, world: World, parts: Parts
) -> None:
    seen = []
    for share in (0.5, 0.79, 0.81, 0.75, 0.71, 0.69, 0.75):
        await look(parts, world, share=share)
        seen.append(await is_accepting(client))
    assert seen == [True, True, False, False, False, True, True]


async def test_a_server_without_a_bound_is_never_too_full(
    client: httpx.AsyncClient, world: World, parts: Parts
) -> None:
    await look(parts, world, share=50, bytes_max=0)
    assert await is_accepting(client)


async def test_a_long_backlog_is_pressure_too(client: httpx.AsyncClient, world: World, parts: Parts) -> None:
    seen = []
    for backlog in (1_000_000, 1_000_001, 950_000, 900_000):
        await look(parts, world, backlog=backlog)
        seen.append(await is_accepting(client))
    assert seen == [True, False, False, True]


async def test_nothing_is_stored_for_what_is_refused(client: httpx.AsyncClient, world: World, parts: Parts) -> None:
    await look(parts, world, share=0.9)
    problem(await client.put("/api/v1/objects/a/content", content=b"bytes"), 503, "overloaded")
    problem(await client.post(PROCESS, json=PLAIN | {"data": {"a": 1}}), 503, "overloaded")
    assert world.files == {}
    assert world.appends == []


async def test_under_pressure_objects_can_be_read_cancelled_and_deleted(
    client: httpx.AsyncClient, world: World, parts: Parts, submit: Submit
) -> None:
    object_id = (await submit())["object_id"]
    await look(parts, world, share=0.9)
    assert (await client.get(f"/api/v1/objects/{object_id}")).status_code == 200
    response = await client.post(f"/api/v1/objects/{object_id}/cancel")
    assert response.status_code in {200, 202}
    assert (await client.get("/readyz")).status_code == 200


async def test_pressure_that_cannot_be_measured_stays_what_it_was(
    client: httpx.AsyncClient, world: World, parts: Parts
) -> None:
    await look(parts, world, share=0.9)
    world.go_away()
    with pytest.raises(TransientError):
        await parts.pressure.step()
    assert parts.pressure.reason


# ---- what the append itself says ----


class Failing:
    """A CommandPort that appends, and then fails."""

    def __init__(self, world: World, error: Exception) -> None:
        self.world = world
        self.error: Exception | None = error

    async def append(self, batches: Mapping[int, Sequence[Append]]) -> dict[int, list[Appended]]:
        answers = await self.world.append(batches)
        if self.error:
            raise self.error
        return answers

    async def pending(self, partition: int, object_ids: Sequence[str]) -> list[bytes | None]:
        return await self.world.pending(partition, object_ids)


@pytest.mark.parametrize(("error", "code"), [
    (OverloadedError("Redis: command not allowed when used memory > 'maxmemory'."), "overloaded"),
    (UnconfirmedError("Redis: WAITAOF answered [1, 0]", "replicated"), "not_replicated"),
    (UnconfirmedError("Redis: WAITAOF answered [0, 0]", "durable"), "not_durable"),
    (TransientError("Redis: away"), "unavailable"),
])  # fmt: skip
async def test_each_way_to_fail_has_its_code_and_says_when_to_come_again(
    client: httpx.AsyncClient, world: World, parts: Parts, error: Exception, code: str
) -> None:
    parts.submissions._commands._port = Failing(world, error)
    response = await client.post(PROCESS, json=PLAIN)
    problem(response, 503, code)
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("is_deciding", [True, False])
async def test_a_repeat_of_what_was_not_replicated_names_the_same_object(
    client: httpx.AsyncClient, world: World, parts: Parts, is_deciding: bool
) -> None:
    world.is_deciding = is_deciding
    port = Failing(world, UnconfirmedError("Redis: no replica", "replicated"))
    parts.submissions._commands._port = port
    headers = {"Idempotency-Key": "k"}
    problem(await client.post(PROCESS, json=PLAIN, headers=headers), 503, "not_replicated")
    port.error = None
    repeats = [await client.post(PROCESS, json=PLAIN, headers=headers) for _ in range(2)]
    assert [repeat.status_code for repeat in repeats] == [202, 202]
    world.decide_all()
    listed = (await client.get("/api/v1/objects")).json()["items"]
    assert [item["object_id"] for item in listed] == [repeats[0].json()["object_id"]]
    assert len({repeat.json()["object_id"] for repeat in repeats}) == 1


# ---- what readyz says of durability ----


async def test_a_level_that_is_not_met_is_told_and_served_all_the_same(client: httpx.AsyncClient, world: World) -> None:
    told = (await client.get("/readyz")).json()["durability"]
    assert told == {"level": "durable", "is_met": True, "reason": ""}
    world.worth = Standing("durable", False, "appendonly is no")
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["durability"] == {"level": "durable", "is_met": False, "reason": "appendonly is no"}
    world.go_away()
    assert (await client.get("/readyz")).json()["durability"]["is_met"] is False
