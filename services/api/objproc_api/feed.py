"""The live feed of this process: one reader of all partitions, and bounded queues for those who watch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from objproc.clock import Clock
from objproc.errors import TransientError
from objproc.feed import FeedCommit, RunningProgress, decode_feed
from objproc.streams.ports import FeedPort

QUEUE_ITEMS_MAX = 256
WAIT_MS = 1000
LIVE_S = 15.0
"""The loop counts as alive while its last pass is not older."""

Item = FeedCommit | RunningProgress


class Subscription:
    """What one watcher of one object has not read yet.

    A watcher that is too slow, or that the feed cannot serve without a gap, falls behind: its queue is given up,
    and it reads PostgreSQL instead, from where it stands. So it neither blocks anybody nor misses anything.
    """

    def __init__(self, *, is_behind: bool) -> None:
        self.is_behind = is_behind
        self.is_closed = False
        self._items: deque[Item] = deque()
        self._news = asyncio.Event()

    def offer(self, item: Item) -> None:
        """The feed's side: never waits."""
        if self.is_behind:
            return
        if len(self._items) == QUEUE_ITEMS_MAX:
            self.fall_behind()
            return
        self._items.append(item)
        self._news.set()

    def fall_behind(self) -> None:
        """Give the queue up."""
        self.is_behind = True
        self._items.clear()
        self._news.set()

    def catch_up(self) -> None:
        """To be called before reading PostgreSQL: what comes from now on is queued."""
        self.is_behind = False

    def close(self) -> None:
        """The server stops."""
        self.is_closed = True
        self._news.set()

    async def next(self, wait_s: float) -> Item | None:
        """The next item; None where none came in time, or the subscription fell behind or was closed."""
        if not self._items and not self.is_behind and not self.is_closed:
            self._news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._items.popleft() if self._items and not self.is_closed else None


class FeedHub:
    """Reads the feed and hands it to the subscriptions, by object."""

    def __init__(self, port: FeedPort, partitions: int, clock: Clock) -> None:
        self._port = port
        self._partitions = range(partitions)
        self._clock = clock
        self._cursors: dict[int, str] = {}
        self._seqs: dict[int, int] = {}
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._is_closed = False
        self._passed_at = clock.monotonic()

    @property
    def is_live(self) -> bool:
        """True while the loop makes its passes."""
        return self._clock.monotonic() - self._passed_at < LIVE_S

    @property
    def watchers(self) -> int:
        """How many subscriptions there are."""
        return sum(map(len, self._subscriptions.values()))

    @contextmanager
    def subscribe(self, object_id: str, *, is_behind: bool = False) -> Iterator[Subscription]:
        """What the feed says of the object from now on; `is_behind` to begin with PostgreSQL."""
        subscription = Subscription(is_behind=is_behind)
        if self._is_closed:
            subscription.close()
        self._subscriptions.setdefault(object_id, set()).add(subscription)
        try:
            yield subscription
        finally:
            some = self._subscriptions[object_id]
            some.discard(subscription)
            if not some:
                del self._subscriptions[object_id]

    def close(self) -> None:
        """Let every watcher go."""
        self._is_closed = True
        for subscription in self._all():
            subscription.close()

    async def step(self) -> None:
        """Read what is new and hand it on."""
        self._passed_at = self._clock.monotonic()
        try:
            if not self._cursors:
                self._cursors = await self._port.tails(self._partitions)
                self._seqs = {partition: seq_of(cursor) for partition, cursor in self._cursors.items()}
                self._fall_behind()
            entries = await self._port.read_feed(self._cursors, WAIT_MS)
        except TransientError:
            # what was fed meanwhile may be gone when the server is back
            self._cursors = {}
            raise
        for entry in entries:
            self._cursors[entry.partition] = entry.entry_id
            self._dispatch(decode_feed(entry.body))

    def _dispatch(self, item: Item) -> None:
        if isinstance(item, FeedCommit):
            if item.seq > self._seqs.get(item.partition, 0) + 1:
                self._fall_behind()  # the feed was trimmed before it was read
            self._seqs[item.partition] = item.seq
        for subscription in self._subscriptions.get(item.object_id, ()):
            subscription.offer(item)

    def _fall_behind(self) -> None:
        for subscription in self._all():
            subscription.fall_behind()

    def _all(self) -> list[Subscription]:
        return [subscription for some in self._subscriptions.values() for subscription in some]


def seq_of(cursor: str) -> int:
    """The commit that a feed entry's id names."""
    return int(cursor.partition("-")[0])
