"""LogPort: the projector's side."""

from __future__ import annotations

import asyncio

import pytest

from contracts.conftest import PATIENCE_MS, World, batch_of
from objproc.streams.ports import START, Append, AppendMode, FeedItem


def items(*seqs: int) -> list[FeedItem]:
    return [FeedItem(seq, str(seq).encode()) for seq in seqs]


async def feed(world: World) -> list[str]:
    return [entry.entry_id for entry in await world.streams.read_feed({0: START}, 0)]


async def write_log(world: World, count: int, partition: int = 0) -> None:
    head = await world.streams.open(partition)
    bodies = [str(head.seq + n).encode() for n in range(1, count + 1)]
    await world.streams.commit([batch_of(head, *bodies, partition=partition)])


async def test_the_log_is_read_after_the_positions(world: World) -> None:
    await write_log(world, 3)
    await write_log(world, 1, partition=1)
    log, told = await world.streams.read_projection({0: 1, 1: 0, 2: 0}, {}, 10, 0)
    assert {partition: [entry.entry_id for entry in found] for partition, found in log.items()} == {
        0: ["2-0", "3-0"],
        1: ["1-0"],
    }
    assert told == {}


async def test_no_more_of_each_stream_is_read_than_was_asked_for(world: World) -> None:
    await write_log(world, 5)
    log, _ = await world.streams.read_projection({0: 0}, {0: START}, 2, 0)
    assert [entry.body for entry in log[0]] == [b"1", b"2"]


async def test_the_projector_wakes_when_something_is_committed(world: World) -> None:
    reading = asyncio.create_task(world.streams.read_projection({0: 0, 1: 0}, {0: START}, 10, PATIENCE_MS))
    await asyncio.sleep(0)
    await write_log(world, 1, partition=1)
    log, told = await reading
    assert (list(log), told) == ([1], {})


@pytest.mark.parametrize("wait_ms", [0, 5])
async def test_the_projector_gives_up_waiting_in_time(world: World, wait_ms: int) -> None:
    assert await world.streams.read_projection({0: 0}, {0: START}, 10, wait_ms) == ({}, {})


async def test_who_projects_no_partition_reads_nothing(world: World) -> None:
    assert await world.streams.read_projection({}, {}, 10, 5) == ({}, {})


# ---- publish ----


async def test_commits_are_fed_in_order_under_their_numbers(world: World) -> None:
    assert await world.streams.publish(0, items(1, 2), []) == 2
    assert await world.streams.publish(0, items(3), []) == 3
    assert await feed(world) == ["1-0", "2-0", "3-0"]


async def test_what_was_fed_before_is_passed_over(world: World) -> None:
    await world.streams.publish(0, items(1, 2), [])
    assert await world.streams.publish(0, items(1, 2), []) == 2
    assert await world.streams.publish(0, items(2, 3), []) == 3
    assert await feed(world) == ["1-0", "2-0", "3-0"]


async def test_a_gap_is_refused_and_changes_nothing(world: World) -> None:
    await world.streams.append({0: [Append(AppendMode.NEW, "o", "c1", b"x")]})
    await world.streams.publish(0, items(1), [])
    assert await world.streams.publish(0, items(3, 4), [("o", "c1")]) == 1
    assert await feed(world) == ["1-0"]
    assert await world.streams.pending(0, ["o"]) == [b"c1x"]
    assert (await world.streams.open(0)).projected == 1


async def test_publishing_nothing_tells_how_far_the_feed_is(world: World) -> None:
    assert await world.streams.publish(0, [], []) == 0
    await world.streams.publish(0, items(1), [])
    assert await world.streams.publish(0, [], []) == 1


async def test_only_the_very_command_leaves_the_pending_hash(world: World) -> None:
    await world.streams.append({0: [Append(AppendMode.NEW, "a", "c1", b"x"), Append(AppendMode.NEW, "b", "c2", b"y")]})
    await world.streams.publish(0, items(1), [("a", "c1"), ("b", "c1"), ("none", "c1")])
    assert await world.streams.pending(0, ["a", "b"]) == [None, b"c2y"]


async def test_a_command_settles_again_when_its_commit_is_published_again(world: World) -> None:
    await world.streams.append({0: [Append(AppendMode.NEW, "a", "c1", b"x")]})
    await world.streams.publish(0, items(1), [])
    await world.streams.publish(0, items(1), [("a", "c1")])
    assert await world.streams.pending(0, ["a"]) == [None]


async def test_of_two_projectors_each_commit_is_fed_once(world: World) -> None:
    await asyncio.gather(*(world.streams.publish(0, items(*range(1, 20)), []) for _ in range(4)))
    assert await feed(world) == [f"{seq}-0" for seq in range(1, 20)]


async def test_the_log_keeps_what_is_not_projected(world: World) -> None:
    await write_log(world, 1500)
    await world.streams.publish(0, items(*range(1, 401)), [])
    assert (await world.streams.read_log(0, 400, 1))[0].entry_id == "401-0"
    assert (await world.streams.read_log(0, 0, 1))[0].entry_id == "1-0"


async def test_the_log_gives_up_what_was_projected_long_ago(world: World) -> None:
    await write_log(world, 2500)
    await world.streams.publish(0, items(*range(1, 2501)), [])
    (oldest,) = await world.streams.read_log(0, 0, 1)
    assert 1000 < int(oldest.entry_id.partition("-")[0]) <= 1500
