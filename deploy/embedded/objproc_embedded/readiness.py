"""Waiting until something answers, and saying why when it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from objproc_embedded.errors import StartFailedError
from objproc_embedded.keeper import Keeper
from objproc_embedded.supervisor import Supervisor

READY_TIMEOUT_S = 60.0
POLL_S = 0.02
DEATHS_MAX = 5
TAIL_LINES = 15

IsReady = Callable[[], Awaitable[bool]]


async def wait_until(is_ready: IsReady, supervisor: Supervisor, of: Sequence[str], deadline_s: float) -> None:
    """Ask until the answer is yes.

    `StartFailedError`, with the last lines of the logs of these programs, at the deadline (monotonic
    seconds), or once one of them has ended five times in a row.
    """
    while not await is_ready():
        keepers = [keeper for name in of for keeper in supervisor.keepers(name)]
        ending = [keeper for keeper in keepers if keeper.deaths_in_a_row >= DEATHS_MAX]
        if ending:
            raise _failure("keeps ending", ending)
        if time.monotonic() > deadline_s:
            raise _failure("not ready in time", [keeper for keeper in keepers if keeper.restarts] or keepers)
        await asyncio.sleep(POLL_S)


def _failure(reason: str, keepers: Sequence[Keeper]) -> StartFailedError:
    lines = [f"{', '.join(keeper.program.name for keeper in keepers)}: {reason}"]
    for keeper in keepers:
        lines += [f"--- the end of {keeper.log.path}", *(keeper.log.tail(TAIL_LINES) or ["(empty)"])]
    return StartFailedError("\n".join(lines))
