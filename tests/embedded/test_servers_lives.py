"""The life of the servers: second starts, replacements, and leaving nothing behind."""

from pathlib import Path

import pytest

from embedded.stores import read_all, write_all
from embedded.support import NO_SERVERS, is_running
from objproc_embedded import Servers, StackError, postgres_install, wheels
from objproc_embedded.errors import DataLostError, FolderInUseError

MINE = "redis://:mine@127.0.0.1:1/3"


def sockets() -> set[Path]:
    return set(Path("/tmp").glob("seaweedfs-*"))


async def test_a_second_start_continues_where_the_first_was(tmp_path: Path):
    async with Servers(tmp_path, env=NO_SERVERS) as servers:
        first = servers.env
        await write_all(first, "kept")
    async with Servers(tmp_path, env=NO_SERVERS) as servers:
        assert servers.env == first
        assert await read_all(servers.env) == {"valkey": "kept", "postgres": "kept", "s3": "kept"}


async def test_nothing_is_left_in_the_end():
    before = sockets()
    async with Servers(env=NO_SERVERS) as servers:
        pids = [pid for name in ("valkey", "postgres", "s3") for pid in servers.pids(name)]
        folder = servers.folder.path
        assert sockets() > before
    assert not any(is_running(pid) for pid in pids)
    assert not folder.exists()
    assert sockets() <= before


async def test_a_server_the_person_names_is_not_started(tmp_path: Path):
    async with Servers(tmp_path, env=NO_SERVERS | {"REDIS_URL": MINE}) as servers:
        assert servers.env["REDIS_URL"] == MINE
        assert [keeper.program.name for keeper in servers.supervisor.all()] == ["s3", "postgres"]
    assert not (tmp_path / "valkey").exists()


async def test_a_folder_in_use_stays_usable_for_its_owner(tmp_path: Path):
    own = {"REDIS_URL": "", "DATABASE_URL": "postgresql://mine", "S3_BUCKET": "mine"}
    async with Servers(tmp_path, env=own) as servers:
        [pid] = servers.pids("valkey")
        with pytest.raises(FolderInUseError):
            async with Servers(tmp_path, env=own):
                pass
        assert servers.pids("valkey") == [pid]
        await servers.wait_ready()


async def test_a_cluster_without_its_password_is_told_not_overwritten(tmp_path: Path):
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    with pytest.raises(DataLostError, match=r"stack\.json with its password is not"):
        await Servers(tmp_path, env=NO_SERVERS).launch()


async def test_as_root_the_binaries_are_copied_where_the_unprivileged_user_cannot_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usable = postgres_install.is_usable
    monkeypatch.setattr(postgres_install, "run_as", lambda _: (65534, 65534))
    monkeypatch.setattr(
        postgres_install, "is_usable", lambda place, user: place != wheels.postgres_install() and usable(place, user)
    )
    own = {"DATABASE_URL": "", "REDIS_URL": MINE, "S3_BUCKET": "mine"}
    async with Servers(tmp_path, env=own) as servers:
        [scratch] = servers.folder.record.scratch()
        assert scratch.is_dir()
    assert not scratch.exists()


async def test_an_early_end_of_a_server_is_told_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("objproc_embedded.valkey.CONFIGURATION", "nonsense {host} {port} {secret}\n")
    monkeypatch.setattr("objproc_embedded.keeper.DELAY_FIRST_S", 0.01)
    told: list[str] = []
    own = {"REDIS_URL": "", "DATABASE_URL": "postgresql://mine", "S3_BUCKET": "mine"}
    with pytest.raises(StackError, match=r"valkey: keeps ending(?s:.*)FATAL CONFIG FILE ERROR"):
        async with Servers(tmp_path, env=own, tell=told.append):
            pass
    assert len(told) >= 5
