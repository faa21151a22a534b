"""RestorePort: a partition's log goes back to what is projected, and says so until the next commit."""

from __future__ import annotations

from contracts.conftest import World, batch_of, claim, task, with_tasks
from objproc.streams.ports import Append, AppendMode, FeedItem, Finish

HASH = "ab" * 32


async def bodies(world: World) -> list[bytes]:
    return [entry.body for entry in await world.streams.read_log(0, 0, 100)]


async def test_the_log_goes_on_after_the_restored_commit_with_its_hash(world: World) -> None:
    head = await world.streams.open(0)
    head = (await world.streams.commit([batch_of(head, b"1", b"2")]))[0]
    restored = await world.streams.restore(0, head.epoch, 7, HASH, [])
    assert (restored.seq, restored.hash, restored.epoch, restored.is_reissue_due) == (7, HASH, head.epoch, True)
    assert await bodies(world) == []
    assert (await world.streams.commit([batch_of(head, b"3")]))[0] is None, "the old head is void"
    after = (await world.streams.commit([batch_of(restored, b"8")]))[0]
    assert after.seq == 8
    assert [(e.entry_id, e.body) for e in await world.streams.read_log(0, 7, 100)] == [("8-0", b"8")]


async def test_a_repair_is_due_until_a_commit_stands_whoever_opens_the_partition(world: World) -> None:
    head = await world.streams.open(0)
    assert not head.is_reissue_due
    await world.streams.restore(0, head.epoch, 7, HASH, [])
    opened = await world.streams.open(0)
    assert (opened.is_reissue_due, opened.seq, opened.hash) == (True, 7, HASH)
    await world.streams.commit([batch_of(opened, b"8")])
    assert not (await world.streams.open(0)).is_reissue_due


async def test_under_another_epoch_nothing_is_restored(world: World) -> None:
    head = await world.streams.open(0)
    await world.streams.commit([batch_of(head, b"1")])
    await world.streams.open(0)
    assert await world.streams.restore(0, head.epoch, 7, HASH, []) is None
    assert await bodies(world) == [b"1"]


async def test_all_tasks_go_and_the_finish_of_one_that_was_held_is_still_heard(world: World) -> None:
    head = await with_tasks(world, "1-0", "1-1")
    (held, *_) = await claim(world, "w")
    await world.streams.restore(0, head.epoch, 3, HASH, [])
    assert await world.streams.holders(0, ["p"]) == {}
    await world.tasks.finish({0: [Finish("p", held, b"late")]})
    opened = await world.streams.open(0)
    assert [entry.body for entry in (await world.streams.read({0: opened}, 10, 0))[0].results] == [b"late"]


async def test_a_task_of_an_old_number_can_stand_again(world: World) -> None:
    head = await with_tasks(world, "5-0")
    restored = await world.streams.restore(0, head.epoch, 3, HASH, [])
    batch = batch_of(restored, b"4")
    batch.tasks = [task("4-0")]
    await world.streams.commit([batch])
    assert await claim(world, "w") == ["4-0"]


async def test_resubmitted_commands_are_inputs_again_and_new_ones_are_pending(world: World) -> None:
    head = await world.streams.open(0)
    new = Append(AppendMode.REPLACE, "o1", "c" * 36, b"new")
    plain = Append(AppendMode.PLAIN, "o2", "d" * 36, b"plain")
    restored = await world.streams.restore(0, head.epoch, 3, HASH, [new, plain])
    found = await world.streams.read({0: restored}, 10, 0)
    assert [entry.body for entry in found[0].commands] == [b"new", b"plain"]
    assert await world.streams.pending(0, ["o1", "o2"]) == [b"c" * 36 + b"new", None]


async def test_a_feed_that_is_a_little_behind_is_completed_and_a_lost_one_begins_anew(world: World) -> None:
    head = await world.streams.open(0)
    await world.streams.publish(0, [FeedItem(1, b"1"), FeedItem(2, b"2")], [])
    near = await world.streams.restore(0, head.epoch, 5, HASH, [])
    assert near.projected == 2
    far = await world.streams.restore(0, head.epoch, 1_000_000, HASH, [])
    assert far.projected == 1_000_000
