"""Run the whole system in the foreground until Ctrl-C or SIGTERM: `python -m objproc_embedded.up`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from objproc_embedded.environment import own_environment
from objproc_embedded.errors import PortInUseError, StackError
from objproc_embedded.services import COMMANDS, Commands
from objproc_embedded.stack import Stack
from objproc_embedded.supervisor import tell_stderr

DATA_DEFAULT = ".data"
PORT_DEFAULT = "8000"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(data: Path | None, port: int | None, *, commands: Commands = COMMANDS) -> int:
    """Run until told to stop; the exit code is 0 then, 1 where the stack cannot start.

    `data`: else OBJPROC_DATA, else `.data` here. `port`: else API_PORT, else 8000; 0 for a free one.
    """
    own = own_environment()
    folder = data or Path(own.get("OBJPROC_DATA") or DATA_DEFAULT)
    try:
        number = int(own.get("API_PORT") or PORT_DEFAULT) if port is None else port
        stack = Stack(folder, number, commands=commands)
        asyncio.run(until_told(stack, _serve(stack)))
        tell_stderr("stopped")
        return 0
    except PortInUseError as error:
        tell_stderr(f"{error}; --port 0 takes a free one")
    except (StackError, OSError, ValueError) as error:
        tell_stderr(str(error))
    return 1


async def until_told(stack: Stack, work: Coroutine[None, None, None]) -> bool:
    """Do the work on the stack; a first signal breaks it off in order, a second one at once.

    Whether the work was done, not broken off.
    """
    task = asyncio.ensure_future(work)
    signals = 0

    def stop() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            task.cancel()
        else:
            stack.hurry()

    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not signals:
            raise
        return False
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
    return True


async def _serve(stack: Stack) -> None:
    tell_stderr("starting")
    async with stack:
        print(f"ready {stack.url}", flush=True)
        tell_stderr(f"data and logs are in {stack.data}; Ctrl-C stops")
        try:
            await asyncio.Event().wait()
        finally:
            tell_stderr("stopping")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="objproc up", description=main.__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder that keeps everything (.data)")
    parser.add_argument("--port", type=int, metavar="N", help="where the API answers (8000)")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    sys.exit(main(arguments.data, arguments.port))
