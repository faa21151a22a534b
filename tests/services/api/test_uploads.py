"""Uploads: constant memory, named by digest, nothing left behind."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from objproc.domain.commands import StoreContent
from objproc.errors import TransientError
from objproc.store.s3 import PART_BYTES
from objproc.streams.ports import AppendMode
from objproc.wire.codec import decode_command
from objproc_api.parts import Parts
from objproc_api.problems import Problem
from objproc_api.uploads import Uploads

from .test_objects import OBJECTS
from .test_process import problem
from .world import World, chunks_of

LARGE = b"a" * PART_BYTES + b"b" * PART_BYTES + b"c"


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def test_content_is_stored_under_its_digest(client: httpx.AsyncClient, world: World) -> None:
    headers = {"content-type": "text/csv; charset=utf-8", "content-disposition": 'attachment; filename="data.csv"'}
    response = await client.put(f"{OBJECTS}/a/b/content", content=b"x,y\n", headers=headers)
    assert response.status_code == 201
    assert response.json() == {
        "identifier": "a/b",
        "sha256": digest_of(b"x,y\n"),
        "size": 4,
        "media_type": "text/csv; charset=utf-8",
        "name": "data.csv",
        "links": {"self": "/api/v1/objects/a%2Fb", "process": "/api/v1/process"},
    }
    assert world.files == {f"default/{digest_of(b'x,y' + bytes([10]))}": b"x,y\n"}
    (append,) = world.appends[-1]
    command, _ = decode_command(append.body)
    assert append.mode is AppendMode.REPLACE
    assert isinstance(command, StoreContent)
    assert command.identifier == "a/b"


async def test_the_same_content_again_appends_nothing(client: httpx.AsyncClient, world: World) -> None:
    for _ in range(2):
        assert (await client.put(f"{OBJECTS}/a/content", content=b"1")).status_code == 201
    assert len(world.appends) == 1


async def test_content_that_is_projected_later_is_accepted(
    client: httpx.AsyncClient, world: World, parts: Parts
) -> None:
    world.is_deciding = False
    parts.storing._projection_wait_s = 0.0
    assert (await client.put(f"{OBJECTS}/a/content", content=b"1")).status_code == 202
    # what was projected before has not the last word while something is pending
    world.decide_all()
    assert (await client.put(f"{OBJECTS}/a/content", content=b"2")).status_code == 202
    assert (await client.put(f"{OBJECTS}/a/content", content=b"1")).status_code == 202
    assert len(world.appends) == 3


async def test_an_empty_file_is_content(client: httpx.AsyncClient) -> None:
    body = (await client.put(f"{OBJECTS}/a/content", content=b"")).json()
    assert (body["size"], body["sha256"]) == (0, digest_of(b""))


async def test_what_is_announced_too_large_is_not_read(client: httpx.AsyncClient, world: World) -> None:
    response = await client.put(f"{OBJECTS}/a/content", content=b"", headers={"content-length": str(1 << 40)})
    assert str(40 << 20) in problem(response, 413, "content_too_large")["detail"]
    assert response.headers["connection"] == "close"
    assert world.files == {}


@pytest.mark.parametrize("headers", [{}, {"content-type": "nonsense"}, {"content-type": "a/b\x01"}])
async def test_without_a_sensible_media_type_it_is_opaque(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = (await client.put(f"{OBJECTS}/a/content", content=b"1", headers=headers)).json()
    assert body["media_type"] == "application/octet-stream"


@pytest.mark.parametrize(("header", "name"), [
    (None, "file.csv"),
    ("attachment; filename*=UTF-8''t%C3%A4glich.csv", "täglich.csv"),
    ("attachment; filename=\"../../x.csv\"", "x.csv"),
    ("attachment; filename=\"C:\\\\x\\\\y.csv\"", "y.csv"),
    ("attachment; filename=\"..\"", "file.csv"),
    ("inline", "file.csv"),
])  # fmt: skip
async def test_the_name_is_the_declared_one_without_folders(
    client: httpx.AsyncClient, header: str | None, name: str
) -> None:
    headers = {} if header is None else {"content-disposition": header}
    body = (await client.put(f"{OBJECTS}/folder%2Ffile.csv/content", content=b"1", headers=headers)).json()
    assert body["name"] == name


# ---- large ones ----


async def test_a_large_upload_goes_in_parts_and_is_named_at_the_end(world: World) -> None:
    digest = await Uploads(world, world, 1 << 30).store(chunks_of(LARGE, 1 << 20), "default", "text/plain")
    assert digest == (digest_of(LARGE), len(LARGE))
    assert world.files == {f"default/{digest.sha256}": LARGE}
    assert [len(part) for part in world.uploads[0].parts] == [PART_BYTES, PART_BYTES, 1]


async def test_bytes_that_are_there_already_are_written_afresh_so_that_no_sweep_takes_them(world: World) -> None:
    world.files[f"default/{digest_of(LARGE)}"] = LARGE
    await Uploads(world, world, 1 << 30).store(chunks_of(LARGE, 1 << 20), "default", "text/plain")
    assert not world.uploads[0].is_aborted
    assert len(world.files) == 1


async def test_one_part_needs_no_staging(world: World) -> None:
    body = b"a" * PART_BYTES
    await Uploads(world, world, 1 << 30).store(chunks_of(body, 1 << 20), "default", "text/plain")
    assert world.uploads == []


async def broken_off() -> AsyncIterator[bytes]:
    """A client that goes away after two parts."""
    yield LARGE
    raise ConnectionError("gone")


async def test_a_client_that_goes_away_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(ConnectionError):
        await Uploads(world, world, 1 << 30).store(broken_off(), "default", "text/plain")
    assert world.uploads[0].is_aborted
    assert world.files == {}


async def test_an_upload_beyond_the_limit_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(Problem) as raised:
        await Uploads(world, world, len(LARGE) - 1).store(chunks_of(LARGE, 1 << 20), "default", "text/plain")
    assert raised.value.code == "content_too_large"
    assert world.uploads[0].is_aborted
    assert world.files == {}


async def test_a_staged_copy_that_cannot_be_removed_harms_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: World, key: str) -> None:
        raise TransientError("S3: away")

    monkeypatch.setattr(World, "delete", away)
    digest = await Uploads(world, world, 1 << 30).store(chunks_of(LARGE, 1 << 20), "default", "text/plain")
    assert world.files[f"default/{digest.sha256}"] == LARGE


async def test_memory_stays_constant_whatever_the_size(world: World) -> None:
    sizes: list[int] = []

    class Watched(World):
        async def start_upload(self, key: str, media_type: str) -> Any:
            upload = await super().start_upload(key, media_type)
            upload.add = lambda part: keep(len(part))
            return upload

    async def keep(size: int) -> None:
        sizes.append(size)

    async def many() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * (1 << 20)

    watched = Watched()
    await Uploads(watched, watched, 1 << 30).store(many(), "default", "text/plain")
    assert max(sizes) == PART_BYTES
    assert sum(sizes) == 100 << 20
