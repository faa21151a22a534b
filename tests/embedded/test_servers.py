"""Valkey, PostgreSQL and S3 start, answer, and keep what they hold."""

import asyncio
import stat
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import asyncpg
import psutil
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from embedded.stores import read_all, read_postgres, read_s3, read_valkey, s3_client, write_all
from embedded.support import NO_SERVERS, until
from objproc_embedded import Servers

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = ("valkey", "postgres", "s3")
MULTIPART_BYTES = 9 << 20


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> AsyncIterator[Servers]:
    async with Servers(tmp_path_factory.mktemp("data"), env=NO_SERVERS, tell=told.append) as servers:
        yield servers


async def test_all_three_answer(servers: Servers):
    await write_all(servers.env, "first")
    assert await read_all(servers.env) == {"valkey": "first", "postgres": "first", "s3": "first"}


@pytest.mark.parametrize(("name", "read"), [("valkey", read_valkey), ("postgres", read_postgres), ("s3", read_s3)])
async def test_a_killed_server_is_started_again_with_its_data(servers: Servers, told: list[str], name: str, read):
    await write_all(servers.env, f"before {name} was killed")
    [pid] = servers.pids(name)
    servers.kill(name)
    await until(lambda: servers.pids(name) not in ([], [pid]))
    await servers.wait_ready()
    assert await read(servers.env) == f"before {name} was killed"
    assert any(line.startswith(f"{name} ended (killed by SIGKILL)") for line in told)


async def test_a_stopped_server_stays_away_until_it_is_started(servers: Servers):
    await write_all(servers.env, "before")
    await servers.stop("valkey")
    assert servers.pids("valkey") == []
    await servers.start("valkey")
    await servers.wait_ready()
    assert await read_valkey(servers.env) == "before"


async def test_nothing_listens_beyond_loopback(servers: Servers):
    processes = [psutil.Process(pid) for name in NAMES for pid in servers.pids(name)]
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 3
    assert set(listening) == {"127.0.0.1"}


async def test_no_secret_can_be_read_off_a_command(servers: Servers):
    commands = [" ".join(psutil.Process(pid).cmdline()) for name in NAMES for pid in servers.pids(name)]
    for name in (*NAMES, "s3 inner"):
        assert not [command for command in commands if servers.folder.record.secret(name) in command]


async def test_files_that_hold_secrets_are_for_the_owner_only(servers: Servers):
    secrets = [servers.folder.record.secret(name).encode() for name in NAMES]
    for path in servers.folder.path.rglob("*"):
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_who_does_not_know_the_passwords_is_refused(servers: Servers):
    with pytest.raises(AuthenticationError):
        async with Redis.from_url(servers.env["REDIS_URL"].replace("://:", "://:x")) as redis:
            await redis.ping()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(servers.env["DATABASE_URL"], password="guess")
    bucket = f"{servers.env['S3_ENDPOINT_URL']}/{servers.env['S3_BUCKET']}/key"
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, bucket)
    assert refused.value.code == 403
    refused.value.close()


async def test_every_write_is_on_disk_before_it_is_acknowledged(servers: Servers):
    async with Redis.from_url(servers.env["REDIS_URL"]) as redis:
        assert await redis.config_get("append*") | {"appendonly": "yes", "appendfsync": "always"} == (
            await redis.config_get("append*")
        )
        limits = await redis.config_get("maxmemory*")
        assert (limits["maxmemory"], limits["maxmemory-policy"]) == (str(2 << 30), "noeviction")
    connection = await asyncpg.connect(servers.env["DATABASE_URL"])
    assert [await connection.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]
    await connection.close()


async def test_an_object_in_parts_is_stored_and_read_by_range(servers: Servers):
    env = servers.env
    async with s3_client(env) as s3:
        place = {"Bucket": env["S3_BUCKET"], "Key": "parts"}
        upload = (await s3.create_multipart_upload(**place))["UploadId"]
        parts = []
        for number, byte in enumerate((b"a", b"b"), start=1):
            part = await s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=byte * MULTIPART_BYTES)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        await s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
        answer = await s3.get_object(**place, Range=f"bytes={MULTIPART_BYTES - 2}-{MULTIPART_BYTES + 1}")
        async with answer["Body"] as body:
            assert await body.read() == b"aabb"


async def test_a_fresh_data_folder_is_small(servers: Servers):
    used = sum(path.stat().st_blocks * 512 for path in servers.folder.path.rglob("*") if path.is_file())
    assert used < 200 << 20


async def test_an_unknown_name_is_told_with_the_known_ones(servers: Servers):
    with pytest.raises(Exception, match="no program is called mysql; there are valkey, s3, postgres"):
        servers.pids("mysql")


async def test_the_logs_are_in_the_data_folder(servers: Servers):
    logs = {path.name for path in (servers.folder.path / "log").iterdir()}
    assert logs == {"valkey.log", "postgres.log", "s3.log"}
