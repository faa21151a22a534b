"""`objproc up` at the terminal: real servers, stand-ins for the services."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.support import NO_SERVERS, OWN_SERVERS, is_running, until

UP = Path(__file__).with_name("up_standin.py")


class Run:
    """One `objproc up`, its output in files."""

    def __init__(self, data: Path, port: int, env: dict[str, str]) -> None:
        place = Path(tempfile.mkdtemp(dir=data.parent))
        self.out, self.err = place / "out", place / "err"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, UP, data, str(port)], stdout=out, stderr=err, env={**os.environ, **env}
            )
        self.data = data

    def children(self) -> list[int]:
        return [int(pid) for pid in json.loads((self.data / "stack.json").read_text())["children"]]

    async def ready(self) -> str:
        return await until(lambda: self.process.poll() is not None or self.out.read_text()) and self.out.read_text()

    async def code(self) -> int | None:
        await until(lambda: self.process.poll() is not None)
        return self.process.returncode


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Run]:
    run = Run(tmp_path / "data", 0, NO_SERVERS)
    try:
        assert (await run.ready()).startswith("ready http://127.0.0.1:"), run.err.read_text()
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
            await run.code()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_everything_in_order(started: Run, number: signal.Signals):
    children = started.children()
    assert len(children) == 7
    started.process.send_signal(number)
    assert await started.code() == 0
    assert not any(is_running(pid) for pid in children)
    assert started.children() == []
    assert started.err.read_text().endswith("stopped\n")


async def test_a_signal_during_the_start_stops_what_has_started(tmp_path: Path):
    run = Run(tmp_path / "data", 0, NO_SERVERS)
    children = await until(lambda: (tmp_path / "data" / "stack.json").exists() and run.children())
    run.process.send_signal(signal.SIGINT)
    assert await run.code() == 0
    assert not any(is_running(pid) for pid in children)
    assert run.children() == []


async def test_children_do_not_outlive_a_killed_supervisor(started: Run):
    children = started.children()
    started.process.kill()
    await started.code()
    await until(lambda: not any(is_running(pid) for pid in children))


async def test_a_start_after_a_killed_supervisor_continues(started: Run):
    started.process.kill()
    await started.code()
    again = Run(started.data, 0, NO_SERVERS)
    assert (await again.ready()).startswith("ready "), again.err.read_text()
    again.process.terminate()
    assert await again.code() == 0


async def test_a_second_up_on_the_folder_says_who_has_it(tmp_path: Path):
    first = Run(tmp_path / "data", 0, OWN_SERVERS)
    await first.ready()
    second = Run(tmp_path / "data", 0, OWN_SERVERS)
    assert await second.code() == 1
    assert second.err.read_text().splitlines()[-1] == (
        f"objproc: the data folder {tmp_path / 'data'} is in use by process {first.process.pid}"
    )
    first.process.terminate()
    assert await first.code() == 0


async def test_a_taken_port_is_told_with_a_way_out(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        run = Run(tmp_path / "data", number, OWN_SERVERS)
        assert await run.code() == 1
    assert run.err.read_text().splitlines()[-1] == (
        f"objproc: port {number} on 127.0.0.1 is in use by another program; --port 0 takes a free one"
    )
