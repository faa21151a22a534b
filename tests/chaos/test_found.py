"""What the campaign found, each as small as it can be made."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from chaos.test_invariants import history
from given import OBJECT
from objproc.errors import TransientError
from objproc.lifecycle import run
from objproc.store import pool as postgres
from objproc.store.pool import Pool
from objproc.store.projection import PostgresProjection
from objproc.streams.connection import our_errors
from objproc_projector.folding import Fold


async def test_a_loop_ends_even_if_a_library_swallows_the_order_to_end() -> None:
    """Else a sibling's death leaves a service that gives signs of life and does no work, for good."""
    steps = 0

    async def step() -> None:
        nonlocal steps
        steps += 1
        try:
            await asyncio.sleep(10 if steps == 1 else 0.01)
        except asyncio.CancelledError:
            if steps > 1:
                raise
            # as Python 3.11's wait_for does where its future is done at that moment

    loop = asyncio.create_task(run("test", step, asyncio.Event()))
    while not steps:
        await asyncio.sleep(0)
    loop.cancel()
    done, _ = await asyncio.wait({loop}, timeout=1)
    loop.cancel()
    assert done
    assert loop.cancelled()
    assert steps == 1


async def test_a_connection_that_closes_while_it_is_opened_is_transient() -> None:
    """uvloop says so with a RuntimeError, which ended the process."""
    with pytest.raises(TransientError):
        async with our_errors():
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
    with pytest.raises(RuntimeError):
        async with our_errors():
            raise RuntimeError("anything else is a bug")


async def test_a_postgresql_connection_that_breaks_in_use_is_transient() -> None:
    """asyncpg has a class of its own for this, outside its tree; it ended schedulers and projectors, and gave 500."""
    with pytest.raises(TransientError):
        async with postgres.our_errors():
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")


def test_running_progress_goes_with_its_object_whoever_wrote_it() -> None:
    """A projector that took the partition over knew nothing of the rows of the one before: they stayed for good."""
    *before, last = history()
    earlier = Fold({})
    for commit in before:
        earlier.add(commit)
    later = Fold(earlier.after())
    later.add(last)
    assert later.projection().finished == [UUID(OBJECT)]


async def test_progress_that_comes_after_the_end_leaves_no_row(pool: Pool) -> None:
    """A projector that was frozen meanwhile still takes the object for a running one."""
    fold = Fold({})
    for commit in history():
        fold.add(commit)
    for row in fold.projection().inserts:
        await pool.copy_records_to_table("objects", records=[row])
    await PostgresProjection(pool).write_running({(OBJECT, "second"): (1, 50.0)})
    assert await pool.fetchval("SELECT count(*) FROM running") == 0
