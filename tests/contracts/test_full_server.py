"""A server whose memory is full: new commands are refused whole, and what was accepted is finished."""

from __future__ import annotations

import pytest

from contracts.conftest import PARTITIONS, World, batch_of, claim, with_tasks
from objproc.errors import OverloadedError
from objproc.streams import keys
from objproc.streams.connection import SCRIPTS, Client
from objproc.streams.inspection import RedisInspection
from objproc.streams.ports import START, Append, AppendMode, FeedItem, Finish
from objproc.streams.redis import RedisStreams
from objproc.streams.task_streams import RedisTasks
from redis_servers import ALWAYS, KINDS, Launch

MAXMEMORY = 8 << 20
BALLAST = "objproc:ballast"


def appends(count: int) -> list[Append]:
    return [Append(AppendMode.NEW, f"o{n}", "c" * 36, b"x") for n in range(count)]


async def fill(client: Client) -> None:
    """Until the server says that it is full, whatever it needs for the test's own requests."""
    await client.setrange(BALLAST, MAXMEMORY, b"x")
    with pytest.raises(Exception, match="maxmemory"):
        await client.append(BALLAST, b"x")


def test_every_script_but_the_append_goes_on_when_the_server_is_full() -> None:
    assert {name for name, text in SCRIPTS.items() if not text.startswith(b"#!lua flags=allow-oom\n")} == {"append"}
    assert SCRIPTS["append"].startswith(b"#!lua\n")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_full_server_refuses_commands_and_lets_everybody_else_finish(launch: Launch, kind: str) -> None:
    server = await launch(kind, *ALWAYS, "--maxmemory", str(MAXMEMORY), "--maxmemory-policy", "noeviction")
    streams, tasks = RedisStreams(server.client), RedisTasks(server.client, PARTITIONS)
    world = World(streams, tasks)
    await streams.append({0: appends(2)})
    head = await with_tasks(world, "1-0", "2-0")
    held = await claim(world, "w", 1)
    before = await RedisInspection(server.client).load(range(PARTITIONS))
    await fill(server.client)
    load = await RedisInspection(server.client).load(range(PARTITIONS))
    assert before.bytes_used < load.bytes_max == MAXMEMORY < load.bytes_used
    assert before.backlog == load.backlog == 2

    with pytest.raises(OverloadedError):
        await streams.append({0: appends(4)[2:]})
    assert await streams.pending(0, ["o2", "o3"]) == [None, None], "nothing of it was written"

    # the worker: a sign of life, its report, another task
    await streams.beat("worker", b"1")
    await tasks.finish({0: [Finish("p", held[0], b"done")]})
    assert await claim(world, "w", 1) == ["2-0"]
    # the scheduler: its lease, the report and another task
    assert await streams.hold("scheduler", [0], "s", 1_000) == [True]
    inputs = await streams.read({0: head}, 10, 0)
    assert [entry.body for entry in inputs[0].results] == [b"done"]
    moved = inputs[0].results[-1].entry_id
    heads = await streams.commit([batch_of(head, b"d", results_cursor=moved)])
    assert heads[0] is not None
    # the projector: the log, the feed, and the pending hash, which makes room
    log, _ = await streams.read_projection({0: 0}, {0: START}, 10, 0)
    items = [FeedItem(seq, entry.body) for seq, entry in enumerate(log[0], 1)]
    settled = [("o0", "c" * 36), ("o1", "c" * 36)]
    assert await streams.publish(0, items, settled) == len(items) == 2
    assert await server.client.hlen(keys.pending(0)) == 0

    await server.client.delete(BALLAST)
    assert [item.earlier for item in (await streams.append({0: appends(1)}))[0]] == [None]
