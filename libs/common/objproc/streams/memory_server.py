"""What a Redis keeps, in this process: streams, consumer groups, hashes, leases. Time is a clock's, chance is none.

Single-threaded, and no method awaits between reading and writing: each is as atomic as a script.
"""

from __future__ import annotations

import asyncio
import copy
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from objproc.clock import Clock

T = TypeVar("T")
Id = tuple[int, int]
Row = tuple[str, bytes]
"""Entry id and body."""


class IdTooSmallError(Exception):
    """An explicit entry id is not above the newest one of its stream."""


def parse_id(text: str) -> Id:
    """An entry id as the pair of numbers it is."""
    major, _, minor = text.partition("-")
    return int(major), int(minor or 0)


def text_of(entry_id: Id) -> str:
    """An entry id as it is written."""
    return f"{entry_id[0]}-{entry_id[1]}"


@dataclass(slots=True)
class Group:
    """The consumer group of a stream: how far it was delivered, and who holds what."""

    delivered: Id = (0, 0)
    pending: dict[Id, str] = field(default_factory=dict)
    consumers: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    """Entries in the order of their ids, which only grow, also past deleted ones."""

    ids: list[Id] = field(default_factory=list)
    bodies: dict[Id, bytes] = field(default_factory=dict)
    newest: Id = (0, 0)
    group: Group | None = None

    def append(self, entry_id: Id, body: bytes) -> str:
        """Put an entry at the end."""
        if entry_id <= self.newest:
            raise IdTooSmallError(f"{text_of(entry_id)} is not above {text_of(self.newest)}")
        self.newest = entry_id
        self.ids.append(entry_id)
        self.bodies[entry_id] = body
        return text_of(entry_id)

    def after(self, cursor: Id, count: int) -> list[Row]:
        """Up to `count` entries past `cursor`."""
        first = bisect_right(self.ids, cursor)
        return [(text_of(i), self.bodies[i]) for i in self.ids[first : first + count]]

    def delete(self, entry_id: Id) -> bool:
        """Remove an entry; False where there was none."""
        if self.bodies.pop(entry_id, None) is None:
            return False
        del self.ids[bisect_left(self.ids, entry_id)]
        return True

    def trim(self, first_kept: int) -> None:
        """Remove the entries before that place."""
        for entry_id in self.ids[:first_kept]:
            del self.bodies[entry_id]
        del self.ids[:first_kept]


@dataclass(slots=True)
class Lease:
    """Whose it is, and until when on the clock's monotonic seconds."""

    owner: str
    ends_s: float


@dataclass(slots=True)
class State:
    """All that a server would have on disk."""

    streams: dict[str, Stream] = field(default_factory=dict)
    hashes: dict[str, dict[str, bytes]] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the capped streams keep. Trimming is exact here, where Redis may keep a little more."""

    feed_entries_max: int = 2_000
    progress_entries_max: int = 2_000
    control_entries_max: int = 1_000
    log_entries_kept: int = 1_000


class MemoryServer:
    """One server that all adapters of a process share.

    `is_simulated`: nobody waits; a reader that finds nothing gets nothing, and whoever moves the clock calls again.
    """

    def __init__(self, clock: Clock, *, is_simulated: bool = False, limits: Limits | None = None) -> None:
        self._clock = clock
        self._is_simulated = is_simulated
        self._written = asyncio.Event()
        self.limits = limits or Limits()
        self.state = State()

    # ---- the whole ----

    def snapshot(self) -> State:
        """The state as it is now, for `restore`."""
        return copy.deepcopy(self.state)

    def restore(self, state: State) -> None:
        """Go back to an earlier state, as a failover that lost a suffix does; `State()` is the loss of everything."""
        self.state = copy.deepcopy(state)

    def keys(self) -> set[str]:
        """Every key that holds something."""
        hashes = {key for key, fields in self.state.hashes.items() if fields}
        return {*self.state.streams, *hashes, *self.state.leases}

    async def wait_for(self, look: Callable[[], T], wait_ms: int) -> T:
        """What `look` finds, at once or when something was written within `wait_ms`."""
        found = look()
        if found or not wait_ms or self._is_simulated:
            return found
        try:
            async with asyncio.timeout(wait_ms / 1000):
                while not found:
                    await self._written.wait()
                    found = look()
        except TimeoutError:
            pass
        return found

    # ---- streams ----

    def add(self, key: str, body: bytes, entry_id: str = "*", *, entries_max: int | None = None) -> str:
        """Append an entry; ids are explicit, or `*`, or `<number>-*`. IdTooSmallError where it would not be the newest.

        The oldest entries beyond `entries_max` go.
        """
        stream = self.state.streams.get(key) or Stream()
        name = stream.append(self._next_id(stream, entry_id), body)
        self.state.streams[key] = stream
        if entries_max is not None:
            stream.trim(max(0, len(stream.ids) - entries_max))
        if not self._is_simulated:
            self._written.set()
            self._written = asyncio.Event()
        return name

    def read(self, key: str, cursor: str, count: int) -> list[Row]:
        """Up to `count` entries after `cursor`."""
        stream = self.state.streams.get(key)
        return stream.after(parse_id(cursor), count) if stream else []

    def tail(self, key: str) -> str:
        """Id of the newest entry that is still there."""
        stream = self.state.streams.get(key)
        return text_of(stream.ids[-1]) if stream and stream.ids else "0-0"

    def trim_before(self, key: str, entry_id: str) -> None:
        """Remove the entries with smaller ids."""
        if stream := self.state.streams.get(key):
            stream.trim(bisect_left(stream.ids, parse_id(entry_id)))

    # ---- the consumer group of a stream ----

    def create_group(self, key: str) -> bool:
        """Make stream and group where they are missing; False where the group was there."""
        stream = self.state.streams.setdefault(key, Stream())
        if stream.group is not None:
            return False
        stream.group = Group()
        return True

    def claim(self, key: str, consumer: str, count: int) -> list[Row]:
        """Up to `count` entries nobody was given yet; `consumer` holds them from now on."""
        stream = self.state.streams[key]
        group = self._group(key)
        assert group is not None
        group.consumers[consumer] = None
        rows = stream.after(group.delivered, count)
        for entry_id, _ in rows:
            group.delivered = parse_id(entry_id)
            group.pending[group.delivered] = consumer
        return rows

    def give_up(self, key: str, entry_id: str) -> bool:
        """Acknowledge and delete an entry; False where it was gone already."""
        stream = self.state.streams.get(key)
        if stream is None:
            return False
        if stream.group is not None:
            stream.group.pending.pop(parse_id(entry_id), None)
        return stream.delete(parse_id(entry_id))

    def holder(self, key: str, entry_id: str) -> str | None:
        """The consumer that holds an entry."""
        group = self._group(key)
        return group.pending.get(parse_id(entry_id)) if group else None

    def held(self, key: str, consumer: str) -> list[Row]:
        """What the consumer holds, oldest first; a body is empty where the entry itself is gone."""
        stream = self.state.streams.get(key)
        if stream is None or stream.group is None:
            return []
        mine = sorted(entry_id for entry_id, holder in stream.group.pending.items() if holder == consumer)
        return [(text_of(entry_id), stream.bodies.get(entry_id, b"")) for entry_id in mine]

    def holders(self, key: str) -> dict[str, int] | None:
        """Every known consumer, and how many entries it holds; None where there is no group."""
        group = self._group(key)
        if group is None:
            return None
        held = list(group.pending.values())
        return {consumer: held.count(consumer) for consumer in group.consumers}

    def forget_consumer(self, key: str, consumer: str) -> None:
        """Remove a consumer, if it holds nothing."""
        group = self._group(key)
        if group is not None and consumer not in group.pending.values():
            group.consumers.pop(consumer, None)

    # ---- hashes and leases ----

    def hash(self, key: str) -> dict[str, bytes]:
        """The fields of a hash, to read and to change."""
        return self.state.hashes.setdefault(key, {})

    def hold(self, key: str, owner: str, lease_ms: int) -> bool:
        """Take or prolong a lease; False while somebody else holds it."""
        now_s = self._clock.monotonic()
        lease = self.state.leases.get(key)
        if lease is not None and lease.owner != owner and lease.ends_s > now_s:
            return False
        self.state.leases[key] = Lease(owner, now_s + lease_ms / 1000)
        return True

    def release(self, key: str, owner: str) -> None:
        """Give a lease back, if it is the owner's."""
        lease = self.state.leases.get(key)
        if lease is not None and lease.owner == owner:
            del self.state.leases[key]

    def _group(self, key: str) -> Group | None:
        stream = self.state.streams.get(key)
        return stream.group if stream else None

    def _next_id(self, stream: Stream, wanted: str) -> Id:
        major, minor = stream.newest
        if wanted == "*":
            now_ms = int(self._clock.now().timestamp() * 1000)
            return (now_ms, 0) if now_ms > major else (major, minor + 1)
        if wanted.endswith("-*"):
            number = int(wanted[:-2])
            return (number, minor + 1) if number == major else (number, 0)
        return parse_id(wanted)
