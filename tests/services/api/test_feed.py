"""The hub: one reader for all watchers; nobody is blocked, nobody misses anything unknowingly."""

from __future__ import annotations

import asyncio

import pytest

from objproc.errors import TransientError
from objproc.feed import FeedCommit, RunningProgress, encode_feed
from objproc_api.feed import QUEUE_ITEMS_MAX, FeedHub

from .world import PARTITIONS, TestClock, World


def commit(object_id: str, seq: int) -> FeedCommit:
    return FeedCommit(
        partition=0, seq=seq, tenant="default", object_id=object_id, identifier="x", cause=f"c{seq}", events=[]
    )


def feed(world: World, *items: FeedCommit | RunningProgress) -> None:
    world.feed[0] += map(encode_feed, items)


@pytest.fixture
async def hub(world: World, clock: TestClock) -> FeedHub:
    """A hub that knows the tails of an empty feed."""
    hub = FeedHub(world, PARTITIONS, clock)
    hub._cursors = await world.tails(range(PARTITIONS))
    hub._seqs = dict.fromkeys(range(PARTITIONS), 0)
    return hub


async def test_a_watcher_gets_what_concerns_its_object_in_order(world: World, hub: FeedHub) -> None:
    with hub.subscribe("a") as a, hub.subscribe("b") as b:
        feed(world, commit("a", 1), commit("b", 2), commit("a", 3))
        await hub.step()
        assert [await a.next(0), await a.next(0), await a.next(0)] == [commit("a", 1), commit("a", 3), None]
        assert await b.next(0) == commit("b", 2)
    assert hub.watchers == 0


async def test_a_full_queue_is_given_up_and_blocks_nobody(world: World, hub: FeedHub) -> None:
    with hub.subscribe("a") as slow, hub.subscribe("a") as quick:
        for seq in range(1, QUEUE_ITEMS_MAX + 2):
            feed(world, commit("a", seq))
            await hub.step()
            assert await quick.next(0) == commit("a", seq)
        assert slow.is_behind
        assert await slow.next(0) is None
        slow.catch_up()
        feed(world, commit("a", QUEUE_ITEMS_MAX + 2))
        await hub.step()
        assert await slow.next(0) == commit("a", QUEUE_ITEMS_MAX + 2)


async def test_a_gap_in_the_feed_is_noticed_by_everybody(world: World, hub: FeedHub) -> None:
    with hub.subscribe("other") as watcher:
        feed(world, commit("a", 1), commit("a", 5))
        await hub.step()
        assert watcher.is_behind


async def test_after_a_server_was_away_everybody_looks_anew(world: World, hub: FeedHub) -> None:
    with hub.subscribe("a") as watcher:
        world.go_away()
        with pytest.raises(TransientError):
            await hub.step()
        assert not watcher.is_behind
        world.is_away = False
        feed(world, commit("a", 1))
        step = asyncio.create_task(hub.step())
        while not watcher.is_behind:
            await asyncio.sleep(0)
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)


async def test_news_wake_a_waiting_watcher(world: World, hub: FeedHub) -> None:
    with hub.subscribe("a") as watcher:
        waiting = asyncio.create_task(watcher.next(10))
        step = asyncio.create_task(hub.step())
        await asyncio.sleep(0)
        feed(world, commit("a", 1))
        world.news.set()
        assert await waiting == commit("a", 1)
        await step


async def test_a_loop_that_makes_no_pass_is_not_alive(world: World, hub: FeedHub, clock: TestClock) -> None:
    assert hub.is_live
    clock.ahead_s += 16
    assert not hub.is_live
    feed(world, commit("a", 1))
    await hub.step()
    assert hub.is_live


async def test_who_comes_after_the_stop_is_let_go_at_once(hub: FeedHub) -> None:
    hub.close()
    with hub.subscribe("a") as watcher:
        assert watcher.is_closed
        assert await watcher.next(10) is None
