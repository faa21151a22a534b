"""Waiting for what a command leads to, on the feed; on PostgreSQL where the feed cannot tell."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from objproc.domain.events import CommandRejected
from objproc.feed import FeedCommit
from objproc.wire.codec import decode_commit
from objproc.wire.envelope import Commit
from objproc_api.feed import Subscription
from objproc_api.ports import HistoryPort

COMMITS_MAX = 500
"""Commits of an object that are read at once."""


async def wait_for(
    subscription: Subscription,
    is_it: Callable[[FeedCommit], bool],
    look: Callable[[], Awaitable[bool]],
    wait_s: float,
) -> bool:
    """True once a commit of the feed fits `is_it`, or `look` finds so after the feed had a gap."""
    deadline = time.monotonic() + wait_s
    while not subscription.is_closed:
        if subscription.is_behind:
            subscription.catch_up()
            if await look():
                return True
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return False
        item = await subscription.next(left_s)
        if isinstance(item, FeedCommit) and is_it(item):
            return True
    return False


async def read_commits(history: HistoryPort, object_id: str, after: int) -> list[Commit]:
    """Every commit of the object that holds a version greater than `after`, in order."""
    commits: list[Commit] = []
    while True:
        bodies = await history.commits(object_id, after, COMMITS_MAX)
        commits += map(decode_commit, bodies)
        if len(bodies) < COMMITS_MAX:
            return commits
        after = commits[-1].version_to


async def caused_by(history: HistoryPort, object_id: str, command_id: str, after: int) -> Commit | None:
    """The projected commit that the command brought about."""
    commits = await read_commits(history, object_id, after)
    return next((commit for commit in commits if commit.origin.cause == command_id), None)


def rejection_in(commit: Commit) -> CommandRejected | None:
    """Why the command was turned down, if the commit says so."""
    return next((event for event in commit.events if isinstance(event, CommandRejected)), None)
