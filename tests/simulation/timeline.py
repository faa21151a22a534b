"""Time that moves only when told, and coroutines that run only when told: one thread and one order for each seed."""

from __future__ import annotations

import heapq
import types
from collections.abc import Callable, Coroutine, Generator
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
EVENTS_MAX = 60_000  # of one schedule: beyond it something runs in circles

Wish = tuple[float, tuple[str, ...]]
"""Seconds to wait, and topics that end the wait early."""


@types.coroutine
def pause(seconds: float) -> Generator[Wish, None, None]:
    """Let others run for that long."""
    yield seconds, ()


@types.coroutine
def park(topics: tuple[str, ...], seconds: float) -> Generator[Wish, None, None]:
    """Wait for one of the topics, but not longer than that."""
    yield seconds, topics


class RunsInCirclesError(AssertionError):
    """A schedule does not come to its end."""


class Strand:
    """One coroutine of a process."""

    __slots__ = ("coroutine", "owner", "turn")

    def __init__(self, coroutine: Coroutine[Wish, None, None], owner: Owner) -> None:
        self.coroutine = coroutine
        self.owner = owner
        self.turn = 0


class Owner:
    """What strands belong to: it can die and freeze, and they with it."""

    is_dead = False
    frozen_until_s = 0.0

    def may_go_on(self) -> bool:
        """The moment before a strand goes on: the place for crashes and freezes."""
        return True


class Timeline:
    """What happens when. Whoever shares a moment goes in the order of arrival."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.events_count = 0
        self._queue: list[tuple[float, int, Strand | Callable[[], None], int]] = []
        self._arrivals = 0
        self._parked: dict[str, dict[Strand, int]] = {}

    def at(self, time_s: float, action: Callable[[], None]) -> None:
        """Do something then."""
        self._push(time_s, action, 0)

    def start(self, coroutine: Coroutine[Wish, None, None], owner: Owner) -> None:
        """Let a coroutine run from now on."""
        self._push(self.now_s, Strand(coroutine, owner), 0)

    def tell(self, topic: str, delay_s: float) -> None:
        """Wake who is parked for the topic."""
        for strand, turn in self._parked.pop(topic, {}).items():
            if strand.turn == turn:
                self._push(self.now_s + delay_s, strand, turn)

    def run_until(self, time_s: float) -> None:
        """Let time pass."""
        while self._queue and self._queue[0][0] <= time_s:
            self.now_s, _, what, turn = heapq.heappop(self._queue)
            if isinstance(what, Strand):
                self._resume(what, turn)
            else:
                what()
        self.now_s = time_s

    def close(self) -> None:
        """Let go of every coroutine."""
        while self._queue:
            _, _, what, _ = self._queue.pop()
            if isinstance(what, Strand):
                what.coroutine.close()

    def _push(self, time_s: float, what: Strand | Callable[[], None], turn: int) -> None:
        self._arrivals += 1
        heapq.heappush(self._queue, (time_s, self._arrivals, what, turn))

    def _resume(self, strand: Strand, turn: int) -> None:
        owner = strand.owner
        if strand.turn != turn:
            return
        if owner.is_dead:
            strand.coroutine.close()
            return
        if owner.frozen_until_s > self.now_s:
            self._push(owner.frozen_until_s, strand, turn)
            return
        if not owner.may_go_on():
            self._push(owner.frozen_until_s, strand, turn)
            return
        self.events_count += 1
        if self.events_count > EVENTS_MAX:
            raise RunsInCirclesError(f"more than {EVENTS_MAX} events")
        strand.turn += 1
        try:
            seconds, topics = strand.coroutine.send(None)
        except StopIteration:
            return
        for topic in topics:
            self._parked.setdefault(topic, {})[strand] = strand.turn
        self._push(self.now_s + seconds, strand, strand.turn)


class HostClock:
    """The clocks of one host: its wall clock may be wrong, its monotonic clock starts anywhere."""

    def __init__(self, timeline: Timeline, start_s: float) -> None:
        self._timeline = timeline
        self._start_s = start_s
        self.wrong_by_s = 0.0

    def now(self) -> datetime:
        """UTC, timezone-aware."""
        return NOON + timedelta(seconds=self._timeline.now_s + self.wrong_by_s)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._start_s + self._timeline.now_s
