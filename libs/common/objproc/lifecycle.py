"""Life of a service: a loop is `run` around `step`; transient trouble waits, a bug ends the process."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from objproc.errors import PermanentError, TransientError
from objproc.liveness import LOOPS, PASS_S_MAX
from objproc.settings import Settings, load_settings
from objproc.telemetry import Log, start_logging, start_tracing

T = TypeVar("T")
log = Log("lifecycle")

PAUSE_FIRST_S = 0.05
PAUSE_MAX_S = 2.0
LEISURE_S = 2.0
EXIT_SETUP = 78


def instance_id(role: str) -> str:
    """A name no other instance has, now or later."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


async def run(
    name: str, step: Callable[[], Awaitable[object]], stopping: asyncio.Event, pass_s: float = PASS_S_MAX
) -> None:
    """Repeat `step` until told to stop. TransientError pauses, longer each time; anything else goes up.

    A pass that takes longer than `pass_s` is a loop that stands still: see liveness.
    """
    try:
        await _repeat(name, step, stopping, pass_s)
    finally:
        LOOPS.end(name)


async def _repeat(name: str, step: Callable[[], Awaitable[object]], stopping: asyncio.Event, pass_s: float) -> None:
    task, pause_s = asyncio.current_task(), 0.0
    while not stopping.is_set():
        if task is not None and task.cancelling():
            # the order to end came, and a library swallowed it: Python 3.11's wait_for may, under redis-py
            raise asyncio.CancelledError
        LOOPS.promise(name, pass_s)
        try:
            await step()
            if pause_s:
                log.info("resumed", loop=name)
            pause_s = 0.0
        except TransientError as error:
            if not pause_s:
                log.warning("waiting", loop=name, reason=str(error))
            pause_s = min(PAUSE_MAX_S, max(PAUSE_FIRST_S, 2 * pause_s))
            await sleep(pause_s, stopping)


async def run_every(name: str, step: Callable[[], Awaitable[object]], stopping: asyncio.Event, every_s: float) -> None:
    """Repeat `step` with pauses of `every_s` until told to stop."""

    async def paced() -> None:
        await step()
        await sleep(every_s, stopping)

    await run(name, paced, stopping, PASS_S_MAX + every_s)


async def until_ready(name: str, step: Callable[[], Awaitable[T]], stopping: asyncio.Event) -> T:
    """The answer of `step`, once no TransientError keeps it back. CancelledError when told to stop before."""
    pause_s = PAUSE_FIRST_S
    while True:
        LOOPS.promise(name, PASS_S_MAX)
        try:
            return await step()
        except TransientError as error:
            log.warning("waiting", loop=name, reason=str(error))
        finally:
            LOOPS.end(name)
        await sleep(pause_s, stopping)
        if stopping.is_set():
            raise asyncio.CancelledError(f"stopped before {name}")
        pause_s = min(PAUSE_MAX_S, 2 * pause_s)


@asynccontextmanager
async def at_leisure() -> AsyncIterator[None]:
    """For the last things before an end, which may not hold it up: a server that is away is passed over."""
    try:
        async with asyncio.timeout(LEISURE_S):
            yield
    except (TransientError, TimeoutError) as error:
        log.warning("ended_without", reason=str(error))


@asynccontextmanager
async def afterwards(*steps: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Take these last steps whatever happens inside, each at leisure."""
    try:
        yield
    finally:
        for step in steps:
            async with at_leisure():
                await step()


async def sleep(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, but not past the order to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


def serve(role: str, main: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run a service's `main` as this process: settings, logs, traces, signals, exit code."""
    settings = load_settings()
    start_logging(settings.log_level)
    start_tracing(role, settings.otel_exporter_otlp_endpoint)
    if settings.liveness_dir:
        LOOPS.keep_in(settings.liveness_dir)

    async def body() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        log.info("started", role=role, pid=os.getpid())
        await main(settings, stopping)
        log.info("stopped", role=role)

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(body())
    except asyncio.CancelledError:
        log.info("stopped", role=role)
    except PermanentError as error:
        log.error("refused", role=role, reason=str(error))
        sys.stderr.write(f"objproc {role}: {error}\n")
        sys.exit(EXIT_SETUP)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop
