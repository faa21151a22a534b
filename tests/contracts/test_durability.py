"""What an acknowledgement is worth, on real servers, with their deaths.

kill -9 shows that what was acknowledged had left the server's memory; that it had left the machine's, too, is what
fsync says, and no test without a power switch.
"""

from __future__ import annotations

import asyncio
import random
from itertools import count

import pytest

from contracts.conftest import batch_of
from objproc.clock import SystemClock
from objproc.errors import TransientError, UnconfirmedError
from objproc.settings import Durability
from objproc.streams import keys
from objproc.streams.durability import LOOK_EVERY_S, Assurance, Server, rule_for
from objproc.streams.ports import START, Append, AppendMode
from objproc.streams.redis import RedisStreams
from redis_servers import ALWAYS, EVERYSEC, KINDS, Launch, RedisServer

ACCEPTED, DURABLE, REPLICATED = Durability.ACCEPTED, Durability.DURABLE, Durability.REPLICATED
TIMEOUT_MS = 500
NO_FILE = ("--appendonly", "no")
REFUSED = "CONFIG GET is refused, and the server has no WAITAOF"
EVICTING = (*ALWAYS, "--maxmemory-policy", "allkeys-lru")
KILLS = 4


def append(name: str) -> Append:
    return Append(AppendMode.NEW, name, "c" * 36, name.encode())


def streams_of(server: RedisServer, level: Durability, timeout_ms: int = TIMEOUT_MS) -> RedisStreams:
    return RedisStreams(server.client, assurance_of(server, level, timeout_ms))


def assurance_of(server: RedisServer, level: Durability, timeout_ms: int = TIMEOUT_MS) -> Assurance:
    return Assurance(server.client, level, timeout_ms, SystemClock())


async def commands_in(server: RedisServer) -> list[str]:
    """Names of the appended commands, in order."""
    raw = await server.client.execute_command("XRANGE", keys.commands(0), "-", "+")
    return [fields[1].decode() for _, fields in raw]


def said(*, waitaof: bool, aof: bool | None, fsync: str | None, replicas: int | None = 0) -> Server:
    return Server(has_waitaof=waitaof, is_appendonly=aof, fsync=fsync, replicas=replicas)


# ---- the rule ----


@pytest.mark.parametrize(
    ("level", "server", "command", "reason"),
    [
        (ACCEPTED, said(waitaof=True, aof=False, fsync="no"), None, ""),
        (DURABLE, said(waitaof=True, aof=True, fsync="always"), None, ""),
        (DURABLE, said(waitaof=False, aof=True, fsync="always"), None, ""),
        (DURABLE, said(waitaof=True, aof=True, fsync="everysec"), ("WAITAOF", 1, 0, 9), ""),
        (DURABLE, said(waitaof=True, aof=True, fsync=None), ("WAITAOF", 1, 0, 9), ""),
        (DURABLE, said(waitaof=True, aof=False, fsync="always"), None, "appendonly is no"),
        (DURABLE, said(waitaof=False, aof=True, fsync="no"), None, "appendfsync is no, and the server has no WAITAOF"),
        (DURABLE, said(waitaof=False, aof=None, fsync=None), None, REFUSED),
        (REPLICATED, said(waitaof=True, aof=True, fsync="always", replicas=1), ("WAITAOF", 1, 1, 9), ""),
        (REPLICATED, said(waitaof=False, aof=True, fsync="always", replicas=1), ("WAIT", 1, 9), ""),
        (REPLICATED, said(waitaof=True, aof=False, fsync="no", replicas=1), ("WAITAOF", 0, 1, 9), "appendonly is no"),
        (REPLICATED, said(waitaof=True, aof=True, fsync="always"), ("WAITAOF", 1, 1, 9), "no replica is connected"),
        (REPLICATED, said(waitaof=True, aof=True, fsync="always", replicas=None), ("WAITAOF", 1, 1, 9), ""),
    ],
)  # fmt: skip
def test_the_rule_follows_from_what_the_server_says(
    level: Durability, server: Server, command: tuple[object, ...] | None, reason: str
) -> None:
    rule = rule_for(level, server, 9)
    assert (rule.confirmation.commands[-1] if rule.confirmation else None) == command
    assert (rule.standing.is_met, rule.standing.reason) == (not reason, reason)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_syncs_always_is_durable_without_waiting(launch: Launch, kind: str) -> None:
    server = await launch(kind, *ALWAYS)
    assert (await assurance_of(server, DURABLE).standing()).is_met
    await streams_of(server, DURABLE).append({0: [append("a")]})
    assert await server.calls_of("waitaof") == 0


async def test_a_server_that_syncs_every_second_is_waited_for(launch: Launch) -> None:
    server = await launch("valkey", *EVERYSEC)
    assert (await assurance_of(server, DURABLE).standing()).is_met
    streams = streams_of(server, DURABLE)
    await server.client.script_flush()
    await streams.append({0: [append("a")], 1: [append("b")]})
    assert await server.calls_of("waitaof") == 2  # the scripts were unknown at first
    await streams.append({0: [append("c")]})
    assert await server.calls_of("waitaof") == 3


@pytest.mark.parametrize(("kind", "options", "reason"), [
    ("redis", EVERYSEC, "appendfsync is everysec, and the server has no WAITAOF"),
    ("redis", NO_FILE, "appendonly is no"),
    ("valkey", NO_FILE, "appendonly is no"),
    ("valkey", EVICTING, "maxmemory-policy is allkeys-lru: a full server would drop what it acknowledged"),
])  # fmt: skip
async def test_a_server_below_the_level_is_told_once_and_served(
    launch: Launch, caplog: pytest.LogCaptureFixture, kind: str, options: tuple[str, ...], reason: str
) -> None:
    server = await launch(kind, *options)
    assurance = assurance_of(server, DURABLE)
    standing = await assurance.standing()
    await asyncio.sleep(LOOK_EVERY_S)
    assert await assurance.standing() == standing
    assert [record.getMessage() for record in caplog.records] == ["durability_below_level"]
    assert (standing.level, standing.is_met, standing.reason) == ("durable", False, reason)
    await RedisStreams(server.client, assurance).append({0: [append("a")]})
    assert await commands_in(server) == ["a"]


@pytest.mark.parametrize(("kind", "options", "is_met"), [
    ("valkey", ALWAYS, True),
    ("valkey", NO_FILE, False),
    ("redis", ALWAYS, False),
])  # fmt: skip
async def test_where_config_is_refused_only_waitaof_counts(
    launch: Launch, kind: str, options: tuple[str, ...], is_met: bool
) -> None:
    server = await launch(kind, *options)
    await server.client.execute_command("ACL", "SETUSER", "default", "-config")
    assert (await assurance_of(server, DURABLE).standing()).is_met is is_met
    await streams_of(server, DURABLE).append({0: [append("a")]})
    assert bool(await server.calls_of("waitaof")) is (kind == "valkey")


async def test_a_server_that_is_set_up_anew_is_known_within_a_second(launch: Launch) -> None:
    server = await launch("valkey", *EVERYSEC)
    streams, assurance = streams_of(server, DURABLE), assurance_of(server, DURABLE)
    await streams.append({0: [append("a")]})
    await server.client.config_set("appendonly", "no")
    with pytest.raises(UnconfirmedError):
        await streams.append({0: [append("b")]})
    await streams.append({0: [append("c")]})
    assert not (await assurance.standing()).is_met
    await server.client.config_set("appendonly", "yes")
    await asyncio.sleep(LOOK_EVERY_S)
    assert (await assurance.standing()).is_met


# ---- death ----


@pytest.mark.parametrize(
    ("kind", "options", "level"),
    [
        ("valkey", ALWAYS, DURABLE),
        ("valkey", EVERYSEC, DURABLE),
        ("valkey", EVERYSEC, ACCEPTED),
        ("redis", ALWAYS, DURABLE),
    ],
)
async def test_kill_9_of_the_server_loses_nothing_that_was_acknowledged(
    launch: Launch, kind: str, options: tuple[str, ...], level: Durability
) -> None:
    server = await launch(kind, *options)
    streams, names, chance = streams_of(server, level), count(), random.Random(7)
    acknowledged: set[str] = set()

    async def keep_appending() -> None:
        while True:
            name = str(next(names))
            await streams.append({0: [append(name)]})
            acknowledged.add(name)

    for _ in range(KILLS):
        writers = [asyncio.create_task(keep_appending()) for _ in range(8)]
        before = len(acknowledged)
        async with asyncio.timeout(20):
            while len(acknowledged) < before + chance.randint(20, 60):
                await asyncio.sleep(0)
        server.kill()
        ends = await asyncio.gather(*writers, return_exceptions=True)
        assert {type(end) for end in ends} == {TransientError}
        await server.start()
        assert acknowledged <= set(await commands_in(server))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_acknowledged_as_replicated_outlives_the_primary(launch: Launch, kind: str) -> None:
    primary = await launch(kind, *ALWAYS)
    replica = await with_replica(launch, kind, primary)
    streams = streams_of(primary, REPLICATED, 5_000)
    for name in range(20):
        await streams.append({0: [append(str(name))]})
    primary.kill()
    assert await commands_in(replica) == [str(name) for name in range(20)]


# ---- replicas ----


async def with_replica(launch: Launch, kind: str, primary: RedisServer) -> RedisServer:
    replica: RedisServer = await launch(kind, *ALWAYS, "--replicaof", "127.0.0.1", str(primary.port))
    async with asyncio.timeout(20):
        while (await replica.client.info("replication"))["master_link_status"] != "up":
            await asyncio.sleep(0.05)
        while (await primary.client.info("replication")).get("slave0", {}).get("state") != "online":
            await asyncio.sleep(0.05)
    # a replica that has just come confirms its first write late
    await streams_of(primary, REPLICATED, 5_000).append({1: [append("first")]})
    return replica


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_replica_nothing_is_written_and_everything_is_refused(launch: Launch, kind: str) -> None:
    server = await launch(kind, *ALWAYS)
    standing = await assurance_of(server, REPLICATED).standing()
    assert (standing.is_met, standing.reason) == (False, "no replica is connected")
    with pytest.raises(UnconfirmedError) as error:
        await streams_of(server, REPLICATED).append({0: [append("a")]})
    assert error.value.level == "replicated"
    assert await commands_in(server) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_repeat_is_acknowledged_only_when_the_first_one_is_replicated(launch: Launch, kind: str) -> None:
    primary = await launch(kind, *ALWAYS)
    replica = await with_replica(launch, kind, primary)
    streams = streams_of(primary, REPLICATED)
    assert (await assurance_of(primary, REPLICATED).standing()).is_met
    await streams.append({0: [append("before")]})
    with replica.frozen():
        for _ in range(2):  # the repeat finds the first one, and waits for it as long as the first one did
            with pytest.raises(UnconfirmedError):
                await streams.append({0: [append("a")]})
            await primary.client.connection_pool.disconnect()  # whatever connection the next one takes
    answers = await streams_of(primary, REPLICATED, 5_000).append({0: [append("a")]})
    assert answers[0][0].earlier == b"c" * 36 + b"a"
    assert await commands_in(primary) == await commands_in(replica) == ["before", "a"]


# ---- what the projector reads ----


async def test_the_projector_waits_until_what_it_read_is_durable(launch: Launch) -> None:
    server = await launch("valkey", *EVERYSEC)
    streams = streams_of(server, DURABLE)
    await streams.commit([batch_of(await streams.open(0), b"a", b"b")])
    log, _ = await streams.read_projection({0: 0}, {0: START}, 10, 0)
    assert [entry.body for entry in log[0]] == [b"a", b"b"]
    assert await server.calls_of("waitaof") == 1
    assert await streams.read_projection({0: 2}, {0: START}, 10, 0) == ({}, {})
    assert await server.calls_of("waitaof") == 1


async def test_a_log_that_went_back_while_it_was_read_is_not_projected(launch: Launch) -> None:
    server = await launch("valkey", *EVERYSEC)
    streams = streams_of(server, DURABLE)
    await streams.commit([batch_of(await streams.open(0), b"a", b"b")])
    await server.client.hset(keys.meta(0), "seq", 1)
    with pytest.raises(TransientError, match="the log ends before"):
        await streams.read_projection({0: 0}, {0: START}, 10, 0)


async def test_the_projector_reads_nothing_that_a_replica_may_lack(launch: Launch) -> None:
    primary = await launch("valkey", *ALWAYS)
    replica = await with_replica(launch, "valkey", primary)
    streams = streams_of(primary, REPLICATED)
    await streams.commit([batch_of(await streams.open(0), b"a")])
    with replica.frozen():
        await streams.commit([batch_of(await streams.open(0), b"b")])
        with pytest.raises(UnconfirmedError):
            await streams.read_projection({0: 1}, {0: START}, 10, 0)
    log, _ = await streams_of(primary, REPLICATED, 5_000).read_projection({0: 1}, {0: START}, 10, 0)
    assert [entry.body for entry in log[0]] == [b"b"]
