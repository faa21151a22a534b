"""SchedulerPort and LogReadPort: inputs, and the commit, all or nothing."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from contracts.conftest import PATIENCE_MS, World, batch_of, claim, task, with_tasks
from objproc.streams.ports import START, Append, AppendMode, FeedItem, Finish, Head
from objproc.wire.envelope import GENESIS


async def log(world: World, partition: int = 0, after: int = 0) -> list[tuple[str, bytes]]:
    return [(entry.entry_id, entry.body) for entry in await world.streams.read_log(partition, after, 1000)]


async def append(world: World, *bodies: bytes, partition: int = 0) -> None:
    await world.streams.append({partition: [Append(AppendMode.PLAIN, "o", "c", body) for body in bodies]})


async def report(world: World, *bodies: bytes, partition: int = 0) -> None:
    await world.tasks.finish({partition: [Finish("p", None, body) for body in bodies]})


# ---- open and read ----


async def test_a_fresh_partition_opens_at_the_beginning(world: World) -> None:
    assert await world.streams.open(0) == Head(1, START, START, 0, GENESIS, 0)


async def test_each_open_is_a_new_epoch(world: World) -> None:
    epochs = [(await world.streams.open(0)).epoch for _ in range(3)]
    assert epochs == [1, 2, 3]
    assert (await world.streams.open(1)).epoch == 1


async def test_inputs_are_read_after_the_cursors(world: World) -> None:
    await append(world, b"c1", b"c2", b"c3")
    await report(world, b"r1")
    await append(world, b"other", partition=1)
    heads = {0: await world.streams.open(0), 1: await world.streams.open(1), 2: await world.streams.open(2)}
    found = await world.streams.read(heads, 2, 0)
    assert [entry.body for entry in found[0].commands] == [b"c1", b"c2"]
    assert [entry.body for entry in found[0].results] == [b"r1"]
    assert [entry.body for entry in found[1].commands] == [b"other"]
    assert 2 not in found
    heads[0] = dataclasses.replace(heads[0], commands_cursor=found[0].commands[-1].entry_id)
    assert [entry.body for entry in (await world.streams.read(heads, 2, 0))[0].commands] == [b"c3"]


async def test_a_reader_of_inputs_wakes_when_something_comes(world: World) -> None:
    heads = {0: await world.streams.open(0), 1: await world.streams.open(1)}
    reading = asyncio.create_task(world.streams.read(heads, 10, PATIENCE_MS))
    await asyncio.sleep(0)
    await report(world, b"r", partition=1)
    assert [entry.body for entry in (await reading)[1].results] == [b"r"]


async def test_a_reader_of_inputs_gives_up_in_time(world: World) -> None:
    assert await world.streams.read({0: await world.streams.open(0)}, 10, 5) == {}


async def test_who_holds_no_partition_reads_nothing(world: World) -> None:
    assert await world.streams.read({}, 10, 5) == {}


# ---- commit ----


async def test_a_commit_appends_its_bodies_under_gapless_numbers(world: World) -> None:
    head = await world.streams.open(0)
    head = (await world.streams.commit([batch_of(head, b"a", b"b")]))[0]
    assert (head.seq, head.hash) == (2, "b")
    head = (await world.streams.commit([batch_of(head, b"c")]))[0]
    assert await log(world) == [("1-0", b"a"), ("2-0", b"b"), ("3-0", b"c")]
    assert await world.streams.open(0) == dataclasses.replace(head, epoch=2)


async def test_the_log_is_read_after_a_number_and_in_bounds(world: World) -> None:
    head = await world.streams.open(0)
    await world.streams.commit([batch_of(head, *[str(n).encode() for n in range(1, 13)])])
    assert [body for _, body in await log(world, after=9)] == [b"10", b"11", b"12"]
    assert [entry.body for entry in await world.streams.read_log(0, 0, 2)] == [b"1", b"2"]
    assert await log(world, after=12) == []
    assert await log(world, partition=3) == []


async def test_a_commit_moves_the_cursors(world: World) -> None:
    await append(world, b"c")
    await report(world, b"r")
    head = await world.streams.open(0)
    inputs = (await world.streams.read({0: head}, 10, 0))[0]
    cursors = {"commands_cursor": inputs.commands[0].entry_id, "results_cursor": inputs.results[0].entry_id}
    after = (await world.streams.commit([batch_of(head, b"x", **cursors)]))[0]
    assert (after.commands_cursor, after.results_cursor) == tuple(cursors.values())
    assert await world.streams.read({0: after}, 10, 0) == {}
    await append(world, b"next")
    assert [entry.body for entry in (await world.streams.read({0: after}, 10, 0))[0].commands] == [b"next"]


async def test_a_commit_of_nothing_but_cursors_keeps_the_hash(world: World) -> None:
    head = (await world.streams.commit([batch_of(await world.streams.open(0), b"a")]))[0]
    await append(world, b"c")
    cursor = (await world.streams.read({0: head}, 10, 0))[0].commands[0].entry_id
    after = (await world.streams.commit([batch_of(head, commands_cursor=cursor)]))[0]
    assert (after.seq, after.hash, after.commands_cursor) == (1, "a", cursor)


async def test_a_commit_appends_tasks_under_the_ids_of_state(world: World) -> None:
    head = await world.streams.open(0)
    tasks = [task("1-0"), task("1-3"), task("1-1", "q")]
    await world.streams.commit([batch_of(head, b"a", tasks=tasks)])
    assert await claim(world, "w") == ["1-0", "1-3"]
    assert await claim(world, "w", pool="q") == ["1-1"]


async def test_a_commit_drops_the_tasks_of_lost_workers(world: World) -> None:
    head = await with_tasks(world, "1-0", "1-1")
    assert await claim(world, "lost") == ["1-0", "1-1"]
    batch = batch_of(head, b"b", tasks=[task("2-0")], drops=[("p", "1-0"), ("p", "1-1"), ("never", "9-9")])
    assert (await world.streams.commit([batch]))[0] is not None
    assert await world.streams.holders(0, ["p"]) == {"p": {"lost": 0}}
    assert await claim(world, "w") == ["2-0"]


async def test_a_commit_settles_only_the_very_command(world: World) -> None:
    await world.streams.append({0: [Append(AppendMode.NEW, "a", "c1", b"x"), Append(AppendMode.NEW, "b", "c2", b"x")]})
    head = await world.streams.open(0)
    await world.streams.commit([batch_of(head, settled=[("a", "c1"), ("b", "c1"), ("none", "c1")])])
    assert await world.streams.pending(0, ["a", "b"]) == [None, b"c2x"]


async def test_commits_of_several_partitions_stand_each_for_itself(world: World) -> None:
    stale = await world.streams.open(0)
    await world.streams.open(0)
    fresh = await world.streams.open(1)
    heads = await world.streams.commit([batch_of(stale, b"a"), batch_of(fresh, b"b", partition=1)])
    assert heads[0] is None
    assert heads[1].seq == 1
    assert (await log(world, 0), await log(world, 1)) == ([], [("1-0", b"b")])


@pytest.mark.parametrize(
    "other",
    [
        {"epoch": 99},
        {"commands_cursor": "7-0"},
        {"results_cursor": "7-0"},
        {"seq": 0},
        {"seq": 2},
        {"hash": "another"},
    ],
)
async def test_a_check_that_fails_changes_nothing(world: World, other: dict[str, object]) -> None:
    await world.streams.append({0: [Append(AppendMode.NEW, "o", "c1", b"x")]})
    head = await with_tasks(world, "1-0")
    await claim(world, "w")
    before = await world.streams.open(0)
    wrong = dataclasses.replace(before, **other)  # type: ignore[arg-type]
    batch = batch_of(
        wrong, b"b", commands_cursor="8-0", tasks=[task("2-0")], drops=[("p", "1-0")], settled=[("o", "c1")]
    )
    assert await world.streams.commit([batch]) == {0: None}
    assert await world.streams.open(0) == dataclasses.replace(before, epoch=before.epoch + 1)
    assert await log(world) == [("1-0", b"c")]
    assert [entry.entry_id for entry in await world.streams.held(0, "p", "w", 9)] == ["1-0"]
    assert await claim(world, "w") == []
    assert await world.streams.pending(0, ["o"]) == [b"c1x"]
    assert head.seq == before.seq


async def test_of_two_schedulers_on_one_partition_the_later_one_commits(world: World) -> None:
    first, second = await world.streams.open(0), await world.streams.open(0)
    assert await world.streams.commit([batch_of(first, b"first")]) == {0: None}
    assert (await world.streams.commit([batch_of(second, b"second")]))[0] is not None
    assert await log(world) == [("1-0", b"second")]


async def test_of_many_commits_on_one_head_exactly_one_wins(world: World) -> None:
    head = await world.streams.open(0)
    bodies = [f"b{number}".encode() for number in range(10)]
    answers = await asyncio.gather(*(world.streams.commit([batch_of(head, body)]) for body in bodies))
    winners = [body for body, answer in zip(bodies, answers, strict=True) if answer[0] is not None]
    assert [body for _, body in await log(world)] == winners
    assert len(winners) == 1


async def test_a_commit_that_is_repeated_after_an_unknown_answer_is_refused(world: World) -> None:
    head = await world.streams.open(0)
    await world.streams.commit([batch_of(head, b"a")])
    assert await world.streams.commit([batch_of(head, b"a")]) == {0: None}
    assert await log(world) == [("1-0", b"a")]


async def test_a_commit_tells_how_far_the_projection_is(world: World) -> None:
    head = (await world.streams.commit([batch_of(await world.streams.open(0), b"a")]))[0]
    assert head.projected == 0
    await world.streams.publish(0, [FeedItem(1, b"f")], [])
    assert (await world.streams.commit([batch_of(head, b"b")]))[0].projected == 1
    assert (await world.streams.open(0)).projected == 1


async def test_no_commits_are_fine(world: World) -> None:
    assert await world.streams.commit([]) == {}


# ---- withdraw ----


async def results(world: World) -> list[bytes]:
    found = await world.streams.read({0: await world.streams.open(0)}, 100, 0)
    return [entry.body for entry in found[0].results] if found else []


async def test_an_unclaimed_task_is_withdrawn_and_its_report_stands(world: World) -> None:
    await with_tasks(world, "1-0", "1-1")
    await world.streams.withdraw(0, [("p", "1-0", b"stopped")])
    assert await results(world) == [b"stopped"]
    assert await claim(world, "w") == ["1-1"]


async def test_a_task_in_a_pool_no_worker_ever_served_can_be_withdrawn(world: World) -> None:
    await with_tasks(world, "1-0", pool="nobody-serves-it")
    await world.streams.withdraw(0, [("nobody-serves-it", "1-0", b"stopped")])
    assert await results(world) == [b"stopped"]


async def test_the_holder_of_a_claimed_task_is_told(world: World) -> None:
    await with_tasks(world, "1-0")
    await claim(world, "w")
    await world.streams.withdraw(0, [("p", "1-0", b"stopped")])
    assert await results(world) == []
    (told,) = await world.tasks.controls({0: START, 1: START}, PATIENCE_MS)
    assert (told.partition, told.body) == (0, b"stopped")
    assert await world.tasks.controls({0: told.entry_id}, 1) == []
    assert [entry.entry_id for entry in await world.streams.held(0, "p", "w", 9)] == ["1-0"]


async def test_a_task_that_is_gone_is_withdrawn_without_a_word(world: World) -> None:
    await with_tasks(world, "1-0")
    await world.streams.withdraw(0, [("p", "1-0", b"once"), ("p", "1-0", b"twice"), ("q", "5-0", b"never")])
    assert await results(world) == [b"once"]
    assert await world.tasks.controls({0: START}, 1) == []


async def test_tasks_of_several_pools_are_withdrawn_in_one_call(world: World) -> None:
    await with_tasks(world, "1-0", pool="b")
    head = await world.streams.open(0)
    await world.streams.commit([batch_of(head, b"x", tasks=[task("2-0", "a")])])
    await claim(world, "w", pool="a")
    await world.streams.withdraw(0, [("b", "1-0", b"from b"), ("a", "2-0", b"from a")])
    assert await results(world) == [b"from b"]
    assert [entry.body for entry in await world.tasks.controls({0: START}, PATIENCE_MS)] == [b"from a"]
