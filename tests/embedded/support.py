"""What the tests of the embedded stack share."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from objproc_embedded.child import Program
from objproc_embedded.identity import start_mark

STANDIN = str(Path(__file__).with_name("standin.py"))
COMMANDS = {name: (sys.executable, STANDIN, name) for name in ("scheduler", "projector", "worker", "api")}
# names of servers the person has, so that the stack starts none; nobody connects to them in these tests
OWN_SERVERS = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DATABASE_URL": "postgresql://me@127.0.0.1:1/mine",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
}
NO_SERVERS = dict.fromkeys((*OWN_SERVERS, "S3_BUCKET"), "")


T = TypeVar("T")


def program(*arguments: str, name: str = "it", grace_s: float = 10.0) -> Program:
    return Program(
        name=name,
        command=(sys.executable, STANDIN, name, *arguments),
        environment={},
        folder=Path.cwd(),
        grace_s=grace_s,
    )


async def until(condition: Callable[[], T], timeout_s: float = 20) -> T:
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, "waited too long"
        await asyncio.sleep(0.01)
    return value


def is_running(pid: int) -> bool:
    return start_mark(pid) is not None
