"""TaskPort and TaskWatchPort: the worker's side of the task streams, and the scheduler's look at it."""

from __future__ import annotations

import asyncio

import pytest

from contracts.conftest import PARTITIONS, PATIENCE_MS, World, batch_of, claim, with_tasks
from objproc.streams.ports import START, Claimed, Entry, Finish


async def results(world: World, partition: int = 0) -> list[bytes]:
    found = await world.streams.read({partition: await world.streams.open(partition)}, 100, 0)
    return [entry.body for entry in found[partition].results] if found else []


# ---- claim ----


async def test_tasks_that_were_appended_before_the_first_worker_came_are_claimed(world: World) -> None:
    await with_tasks(world, "1-0", "1-1")
    await world.tasks.claim("p", "w", 1, 0)
    assert await world.tasks.claim("p", "w", 1, 0) == [Claimed(0, "p", "1-0", b"1-0")]


async def test_a_task_is_claimed_once(world: World) -> None:
    await with_tasks(world, "1-0", "1-1", "1-2")
    first, second = await claim(world, "w1", 2), await claim(world, "w2", 2)
    assert sorted(first + second) == ["1-0", "1-1", "1-2"]
    assert await claim(world, "w1") == []


async def test_no_more_is_claimed_than_was_asked_for(world: World) -> None:
    await with_tasks(world, *(f"1-{n}" for n in range(10)), partition=0)
    await with_tasks(world, *(f"1-{n}" for n in range(10)), partition=1)
    await claim(world, "w", 1)
    assert len(await claim(world, "w", 3)) == 3


async def test_tasks_of_every_partition_come_up(world: World) -> None:
    for partition in range(PARTITIONS):
        await with_tasks(world, "1-0", "1-1", partition=partition)
    await world.tasks.claim("p", "w", 1, 0)
    found: list[int] = []
    while claimed := await world.tasks.claim("p", "w", 1, 0):
        found += [each.partition for each in claimed]
    assert sorted(found) == sorted([*range(PARTITIONS)] * 2)


@pytest.mark.parametrize("count", [PARTITIONS, 3 * PARTITIONS])
async def test_a_large_claim_is_shared_out_over_the_partitions(world: World, count: int) -> None:
    for partition in range(PARTITIONS):
        await with_tasks(world, *(f"1-{n}" for n in range(9)), partition=partition)
    await world.tasks.claim("p", "w", 1, 0)
    claimed = await world.tasks.claim("p", "w", count, 0)
    assert {each.partition for each in claimed} == set(range(PARTITIONS))
    assert len(claimed) == count


async def test_pools_do_not_mix(world: World) -> None:
    await with_tasks(world, "1-0", pool="p")
    assert await claim(world, "w", pool="q") == []
    assert await claim(world, "w", pool="p") == ["1-0"]


async def test_a_worker_wakes_when_a_task_comes(world: World) -> None:
    await claim(world, "w")
    waiting = asyncio.create_task(world.tasks.claim("p", "w", 1, PATIENCE_MS))
    await asyncio.sleep(0)
    await with_tasks(world, "1-0", partition=3)
    assert await waiting == [Claimed(3, "p", "1-0", b"1-0")]


async def test_a_worker_gives_up_waiting_in_time(world: World) -> None:
    await claim(world, "w")
    assert await world.tasks.claim("p", "w", 1, 5) == []


async def test_a_worker_learns_what_it_holds_after_a_claim_whose_answer_was_lost(world: World) -> None:
    await with_tasks(world, "1-0", "1-1", partition=0)
    await with_tasks(world, "1-0", partition=2)
    assert await world.tasks.held("p", "w") == []
    assert len(await claim(world, "w", 3)) == 3
    await world.tasks.finish({0: [Finish("p", "1-0", b"done")]})
    held = await world.tasks.held("p", "w")
    assert sorted((each.partition, each.entry_id) for each in held) == [(0, "1-1"), (2, "1-0")]
    assert {each.body for each in held} == {b"1-1", b"1-0"}
    assert await world.tasks.held("p", "somebody") == []


async def test_a_task_that_was_dropped_is_held_no_more(world: World) -> None:
    head = await with_tasks(world, "1-0", "1-1")
    await claim(world, "w", 2)
    await world.streams.commit([batch_of(head, b"b", drops=[("p", "1-0")])])
    assert [each.entry_id for each in await world.tasks.held("p", "w")] == ["1-1"]


# ---- finish ----


async def test_finishing_gives_the_task_up_and_appends_the_report(world: World) -> None:
    await with_tasks(world, "1-0")
    await claim(world, "w")
    await world.tasks.finish({0: [Finish("p", "1-0", b"done")]})
    assert await results(world) == [b"done"]
    assert await world.streams.held(0, "p", "w", 9) == []


async def test_a_report_on_a_task_that_goes_on_keeps_it(world: World) -> None:
    await with_tasks(world, "1-0")
    await claim(world, "w")
    await world.tasks.finish({0: [Finish("p", None, b"started")]})
    assert await results(world) == [b"started"]
    assert await world.streams.held(0, "p", "w", 9) == [Entry(0, "1-0", b"1-0")]


async def test_a_late_report_is_appended_all_the_same(world: World) -> None:
    head = await with_tasks(world, "1-0")
    await claim(world, "late")
    await world.streams.commit([batch_of(head, b"b", drops=[("p", "1-0")])])
    await world.tasks.finish({0: [Finish("p", "1-0", b"late")]})
    await world.tasks.finish({0: [Finish("p", "1-0", b"late again")]})
    assert await results(world) == [b"late", b"late again"]


async def test_reports_of_several_pools_and_partitions_go_in_one_call(world: World) -> None:
    await with_tasks(world, "1-0", pool="a", partition=0)
    await with_tasks(world, "1-0", pool="b", partition=1)
    await claim(world, "w", pool="a")
    await claim(world, "w", pool="b")
    await world.tasks.finish(
        {
            0: [Finish("a", "1-0", b"r1"), Finish("z", None, b"r2")],
            1: [Finish("b", "1-0", b"r3")],
        }
    )
    assert (await results(world, 0), await results(world, 1)) == ([b"r1", b"r2"], [b"r3"])
    assert await world.streams.holders(0, ["a"]) == {"a": {"w": 0}}


# ---- controls and progress ----


async def test_a_worker_wakes_when_it_is_told_to_stop_a_task(world: World) -> None:
    await with_tasks(world, "1-0")
    await claim(world, "w")
    listening = asyncio.create_task(world.tasks.controls({0: START, 1: START}, PATIENCE_MS))
    await asyncio.sleep(0)
    await world.streams.withdraw(0, [("p", "1-0", b"stop")])
    assert [entry.body for entry in await listening] == [b"stop"]


@pytest.mark.parametrize("wait_ms", [0, 5])
async def test_a_worker_that_is_told_nothing_hears_nothing(world: World, wait_ms: int) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        assert await world.tasks.controls({0: START}, wait_ms) == []


async def test_progress_reaches_the_projector(world: World) -> None:
    await world.tasks.progress({0: [b"10", b"20"], 1: [b"5"]})
    _, told = await world.streams.read_projection({0: 0, 1: 0}, {0: START, 1: START}, 10, 0)
    assert {partition: [entry.body for entry in found] for partition, found in told.items()} == {
        0: [b"10", b"20"],
        1: [b"5"],
    }
    assert await world.streams.read_projection({0: 0}, {0: told[0][-1].entry_id}, 10, 0) == ({}, {})


# ---- the scheduler's look ----


async def test_who_holds_how_much_is_known(world: World) -> None:
    await with_tasks(world, "1-0", "1-1", "1-2")
    await claim(world, "w1", 2)
    await claim(world, "w2", 1)
    holders = await world.streams.holders(0, ["p", "never"])
    assert holders == {"p": {"w1": 2, "w2": 1}}


async def test_what_a_worker_holds_is_known_oldest_first(world: World) -> None:
    await with_tasks(world, "1-0", "1-1", "1-2")
    await claim(world, "w")
    assert await world.streams.held(0, "p", "w", 2) == [Entry(0, "1-0", b"1-0"), Entry(0, "1-1", b"1-1")]
    assert await world.streams.held(0, "p", "somebody", 2) == []


async def test_a_worker_that_holds_nothing_can_be_forgotten(world: World) -> None:
    await with_tasks(world, "1-0")
    await claim(world, "w")
    await world.tasks.finish({0: [Finish("p", "1-0", b"done")]})
    await world.streams.forget_consumer(0, "p", "w")
    assert await world.streams.holders(0, ["p"]) == {"p": {}}


async def test_a_worker_that_claimed_meanwhile_is_not_forgotten(world: World) -> None:
    await with_tasks(world, "1-0")
    await claim(world, "w")
    await world.streams.forget_consumer(0, "p", "w")
    assert (await world.streams.holders(0, ["p"]))["p"]["w"] == 1
