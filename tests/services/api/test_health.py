"""Health, status, the catalogue, and the gate before everything is set up."""

from __future__ import annotations

import httpx
import pytest

from objproc.errors import SetupError
from objproc.heartbeat import Pulse
from objproc.settings import Settings
from objproc_api.health import ROLES
from objproc_api.parts import Parts
from objproc_api.server import listen, refuse_open_door

from .test_process import PLAIN, PROCESS, problem
from .world import TestClock, World


async def everybody_beats(world: World, clock: TestClock, parts: Parts) -> None:
    for role in ROLES:
        await Pulse(world, role, f"{role}-1", clock).step()
    await parts.census.step()


async def test_the_whole_is_well_when_every_role_lives(
    client: httpx.AsyncClient, world: World, clock: TestClock, parts: Parts
) -> None:
    await everybody_beats(world, clock, parts)
    response = await client.get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["services"]["worker"] == {"living": 1}


async def test_what_is_missing_is_named(
    client: httpx.AsyncClient, world: World, clock: TestClock, parts: Parts
) -> None:
    await Pulse(world, "api", "api-1", clock).step()
    await parts.census.step()
    response = await client.get("/health")
    assert response.status_code == 503
    assert response.json()["missing"] == ["scheduler", "worker", "projector"]
    await everybody_beats(world, clock, parts)
    world.announced.clear()
    assert (await client.get("/health")).json()["missing"] == ["operations"]
    world.go_away()
    assert (await client.get("/health")).json()["missing"] == ["postgresql", "redis", "s3"]


async def test_a_replica_is_ready_when_its_servers_answer(
    client: httpx.AsyncClient, world: World, parts: Parts
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    world.go_away()
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["servers"] == {"postgresql": "away", "redis": "away", "s3": "away"}


async def test_a_replica_whose_loop_stands_still_is_not_alive(client: httpx.AsyncClient, clock: TestClock) -> None:
    assert (await client.get("/livez")).status_code == 200
    clock.ahead_s += 20
    assert (await client.get("/livez")).status_code == 503


async def test_until_it_is_set_up_only_its_health_is_told(client: httpx.AsyncClient, parts: Parts) -> None:
    parts.health.is_set_up = False
    response = await client.post(PROCESS, json=PLAIN)
    problem(response, 503, "starting")
    assert response.headers["retry-after"] == "1"
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/readyz")).status_code == 503


async def test_the_status_shows_services_partitions_and_backlog(
    client: httpx.AsyncClient, world: World, clock: TestClock, parts: Parts
) -> None:
    await everybody_beats(world, clock, parts)
    body = (await client.get("/api/v1/status")).json()
    assert [service["role"] for service in body["services"]] == sorted(ROLES)
    assert [worker["instance"] for worker in body["workers"]] == ["worker-1"]
    assert body["backlog"] == {"commands": 2, "results": 2, "tasks": 2, "lag": 2}
    assert body["operations"] == 3
    assert len(body["partitions"]) == 2


async def test_the_catalogue_is_looked_up_once_a_second(
    client: httpx.AsyncClient, world: World, clock: TestClock
) -> None:
    items = (await client.get("/api/v1/operations")).json()["items"]
    assert [item["name"] for item in items] == ["analyze", "transform", "validate"]
    assert items[2]["params_schema"]["properties"] == {"rows_max": {"type": "integer"}}
    del world.announced["analyze"]
    assert len((await client.get("/api/v1/operations")).json()["items"]) == 3
    clock.ahead_s += 1
    assert len((await client.get("/api/v1/operations")).json()["items"]) == 2


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    schema = described["paths"]["/api/v1/process"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("host", "is_allowed", "is_refused"), [
    ("127.0.0.1", False, False),
    ("0.0.0.0", False, True),
    ("0.0.0.0", True, False),
])  # fmt: skip
def test_an_open_door_to_everybody_is_refused(
    api_settings: Settings, host: str, is_allowed: bool, is_refused: bool
) -> None:
    settings = api_settings.model_copy(update={"api_host": host, "auth_none_is_allowed": is_allowed})
    if is_refused:
        with pytest.raises(SetupError, match="AUTH_NONE_IS_ALLOWED"):
            refuse_open_door(settings)
    else:
        refuse_open_door(settings)


def test_an_address_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(SetupError, match="cannot listen"):
        listen("127.0.0.1", first.getsockname()[1])
