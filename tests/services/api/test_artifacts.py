"""Artifacts: list and download."""

from __future__ import annotations

import httpx
import pytest

from objproc.domain.content import Artifact
from objproc_api.ranges import ByteRange, range_of
from objproc_api.routes.artifacts import disposition

from .conftest import Submit
from .test_objects import OBJECTS, finish
from .test_process import problem
from .world import World

BODY = b"0123456789"
DIGEST = "d" * 64


async def artifact(world: World, submit: Submit, name: str = "report.txt", media_type: str = "text/plain") -> str:
    object_id: str = (await submit())["object_id"]
    finish(world, object_id, Artifact(name=name, media_type=media_type, size=len(BODY), sha256=DIGEST))
    world.files[f"default/{DIGEST}"] = BODY
    return object_id


async def test_the_list_tells_what_there_is_and_where(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    object_id = await artifact(world, submit, "a b/c.txt")
    (item,) = (await client.get(f"{OBJECTS}/{object_id}/artifacts")).json()["items"]
    assert item == {
        "name": "a b/c.txt",
        "operation": "validate",
        "media_type": "text/plain",
        "size": 10,
        "sha256": DIGEST,
        "href": f"{OBJECTS}/{object_id}/artifacts/a%20b%2Fc.txt",
    }
    assert (await client.get(item["href"])).content == BODY


async def test_a_download_is_a_file_and_nothing_a_browser_runs(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = await artifact(world, submit, media_type="text/html")
    response = await client.get(f"{OBJECTS}/{object_id}/artifacts/report.txt")
    assert response.content == BODY
    assert response.headers["content-type"] == "text/html"
    assert response.headers["content-length"] == "10"
    assert response.headers["content-disposition"].startswith('attachment; filename="report.txt"')
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["etag"] == f'"{DIGEST}"'


@pytest.mark.parametrize(("asked", "status", "body", "told"), [
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
    ("bytes=-3", 206, b"789", "bytes 7-9/10"),
    ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
    ("bytes=0-1,3-4", 200, BODY, None),
    ("lines=1-2", 200, BODY, None),
])  # fmt: skip
async def test_ranges(
    client: httpx.AsyncClient,
    world: World,
    submit: Submit,
    asked: str,
    status: int,
    body: bytes,
    told: str | None,
) -> None:
    object_id = await artifact(world, submit)
    response = await client.get(f"{OBJECTS}/{object_id}/artifacts/report.txt", headers={"range": asked})
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-range") == told


async def test_a_range_beyond_the_end_is_refused_with_the_size(
    client: httpx.AsyncClient, world: World, submit: Submit
) -> None:
    object_id = await artifact(world, submit)
    response = await client.get(f"{OBJECTS}/{object_id}/artifacts/report.txt", headers={"range": "bytes=10-"})
    problem(response, 416, "range_not_satisfiable")
    assert response.headers["content-range"] == "bytes */10"


@pytest.mark.parametrize(("header", "size", "expected"), [
    (None, 5, None),
    ("bytes=-", 5, None),
    ("bytes=3-2", 5, None),
    ("bytes=-99", 5, ByteRange(0, 4)),
    ("bytes= 1 - 1 ", 5, ByteRange(1, 1)),
])  # fmt: skip
def test_what_a_range_means(header: str | None, size: int, expected: ByteRange | None) -> None:
    assert range_of(header, size) == expected


async def test_conditions_are_heeded(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    path = f"{OBJECTS}/{await artifact(world, submit)}/artifacts/report.txt"
    assert (await client.get(path, headers={"if-none-match": f'"{DIGEST}"'})).status_code == 304
    same = {"range": "bytes=0-1", "if-range": f'"{DIGEST}"'}
    assert (await client.get(path, headers=same)).content == BODY[:2]
    assert (await client.get(path, headers=same | {"if-range": '"other"'})).content == BODY
    head = await client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")


async def test_what_is_not_there_is_told(client: httpx.AsyncClient, world: World, submit: Submit) -> None:
    object_id = await artifact(world, submit)
    problem(await client.get(f"{OBJECTS}/{object_id}/artifacts/other"), 404, "artifact_not_found")
    path = f"{OBJECTS}/{object_id}/artifacts/report.txt"
    problem(await client.get(path, params={"operation": "export"}), 404, "artifact_not_found")
    world.files.clear()
    problem(await client.get(path), 410, "artifact_gone")


@pytest.mark.parametrize(("name", "plain"), [
    ("../../etc/passwd", "_.._etc_passwd"),
    ('a"b\r\n.txt', "a_b__.txt"),
    ("täglich.csv", "t_glich.csv"),
    ("...", "artifact"),
])  # fmt: skip
def test_no_name_is_taken_for_a_path_or_a_header(name: str, plain: str) -> None:
    header = disposition(name)
    assert header.startswith(f'attachment; filename="{plain}"; ')
    assert header.isascii()
    assert "\r" not in header
    assert "/" not in header
