"""What only memory does: a state that can be kept and put back, and readers that never wait under a simulated clock."""

from __future__ import annotations

import asyncio

import pytest

from contracts.conftest import PATIENCE_MS, batch_of
from objproc.clock import SystemClock
from objproc.streams.memory import MemoryStreams, MemoryTasks
from objproc.streams.memory_server import IdTooSmallError, Limits, MemoryServer, State
from objproc.streams.ports import START, Append, AppendMode, FeedItem, Finish


@pytest.fixture
def server() -> MemoryServer:
    """A simulated one with little room."""
    limits = Limits(feed_entries_max=3, progress_entries_max=2, control_entries_max=1, log_entries_kept=2)
    return MemoryServer(SystemClock(), is_simulated=True, limits=limits)


@pytest.fixture
def streams(server: MemoryServer) -> MemoryStreams:
    """All ports on it."""
    return MemoryStreams(server)


async def test_under_a_simulated_clock_nobody_waits(server: MemoryServer, streams: MemoryStreams) -> None:
    tasks = MemoryTasks(server, 2)
    await tasks.claim("p", "w", 1, 0)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        assert await streams.read_feed({0: START}, 3_600_000) == []
        assert await streams.read({}, 1, 3_600_000) == {}
        assert await tasks.claim("p", "w", 1, 3_600_000) == []


async def test_an_earlier_state_can_be_put_back_any_number_of_times(
    server: MemoryServer, streams: MemoryStreams
) -> None:
    head = await streams.open(0)
    head = (await streams.commit([batch_of(head, b"a")]))[0] or head
    kept = server.snapshot()
    for _ in range(2):
        assert (await streams.commit([batch_of(head, b"lost")]))[0] is not None
        assert len(await streams.read_log(0, 0, 9)) == 2
        server.restore(kept)
        assert [entry.body for entry in await streams.read_log(0, 0, 9)] == [b"a"]


async def test_everything_can_be_lost(server: MemoryServer, streams: MemoryStreams) -> None:
    await streams.open(0)
    await streams.hold("scheduler", [0], "me", 1000)
    await streams.beat("a", b"1")
    server.restore(State())
    assert server.keys() == set()


async def test_keys_are_those_of_redis(server: MemoryServer, streams: MemoryStreams) -> None:
    await streams.append({3: [Append(AppendMode.NEW, "o", "c", b"x")]})
    await streams.hold("scheduler", [3], "me", 1000)
    await streams.beats()
    assert server.keys() == {"objproc:{3}:commands", "objproc:{3}:pending", "objproc:{3}:lease:scheduler"}


async def test_capped_streams_keep_the_newest(server: MemoryServer, streams: MemoryStreams) -> None:
    tasks = MemoryTasks(server, 1)
    await streams.publish(0, [FeedItem(seq, b"f") for seq in range(1, 6)], [])
    await tasks.progress({0: [b"1", b"2", b"3"]})
    assert [entry.entry_id for entry in await streams.read_feed({0: START}, 0)] == ["3-0", "4-0", "5-0"]
    _, told = await streams.read_projection({0: 9}, {0: START}, 9, 0)
    assert [entry.body for entry in told[0]] == [b"2", b"3"]


async def test_the_log_is_trimmed_behind_the_projection(streams: MemoryStreams) -> None:
    await streams.commit([batch_of(await streams.open(0), b"1", b"2", b"3", b"4", b"5")])
    await streams.publish(0, [FeedItem(seq, b"f") for seq in range(1, 5)], [])
    assert [entry.entry_id for entry in await streams.read_log(0, 0, 9)] == ["2-0", "3-0", "4-0", "5-0"]


async def test_entry_ids_only_grow_even_when_the_clock_goes_back(server: MemoryServer) -> None:
    server.add("s", b"a", "99999999999999-0")
    assert server.add("s", b"b") == "99999999999999-1"
    with pytest.raises(IdTooSmallError):
        server.add("s", b"c", "5-0")
    with pytest.raises(IdTooSmallError):
        server.add("s", b"c", "5-*")


async def test_a_finish_on_a_stream_nobody_knows_is_a_report_and_nothing_more(
    server: MemoryServer, streams: MemoryStreams
) -> None:
    await MemoryTasks(server, 1).finish({0: [Finish("p", "1-0", b"r")]})
    assert server.keys() == {"objproc:{0}:results"}
    await streams.forget_consumer(0, "p", "w")
    assert await streams.held(0, "p", "w", 1) == []
