"""A loop that stands still is seen: by `/livez`, and from outside the process by `python -m objproc.probe`."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PARTITIONS, eventually
from objproc.errors import TransientError
from objproc.lifecycle import run
from objproc.liveness import LOOPS, Liveness, overdue_in
from objproc.settings import Settings


async def test_a_loop_whose_pass_takes_too_long_is_overdue_and_one_that_failed_is_not() -> None:
    stopping, hang = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        raise TransientError("Redis: away")

    loops = [
        asyncio.create_task(run("stuck", hang.wait, stopping, 0.05)),
        asyncio.create_task(run("waiting", fail, stopping)),
    ]

    async def is_seen() -> bool:
        return LOOPS.overdue() == ["stuck"]

    await eventually(is_seen, 5)
    stopping.set()
    hang.set()
    await asyncio.gather(*loops)
    assert LOOPS.overdue() == []


def test_promises_are_kept_in_the_folder_and_those_of_an_earlier_process_go(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("1.0")
    loops = Liveness()
    loops.keep_in(tmp_path)
    assert overdue_in(tmp_path) == []
    loops.promise("pool a/b", 60)
    loops.promise("stuck", -1)
    assert overdue_in(tmp_path) == ["stuck"]
    loops.end("stuck")
    assert [file.name for file in tmp_path.iterdir()] == ["pool a_b"]


def probe(folder: Path) -> int:
    command = (sys.executable, "-m", "objproc.probe")
    return subprocess.run(command, env=os.environ | {"LIVENESS_DIR": str(folder)}, check=False).returncode


def test_the_probe_is_red_before_any_loop_began_and_while_one_is_overdue(tmp_path: Path) -> None:
    assert probe(tmp_path / "none") == 1
    loops = Liveness()
    loops.keep_in(tmp_path)
    assert probe(tmp_path) == 1
    loops.promise("a", 60)
    assert probe(tmp_path) == 0
    loops.promise("b", -1)
    assert probe(tmp_path) == 1


@pytest.mark.parametrize("role", ["scheduler", "projector", "worker"])
async def test_the_probe_tells_that_a_service_lives(settings: Settings, tmp_path: Path, role: str) -> None:
    secrets = {
        name.upper(): value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in settings
        if value is not None and not isinstance(value, tuple)
    }
    own = {"LIVENESS_DIR": str(tmp_path / "live"), "CACHE_DIR": str(tmp_path / "cache"), "PARTITIONS": str(PARTITIONS)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"objproc_{role}", env=os.environ | secrets | own, stderr=asyncio.subprocess.DEVNULL
    )

    folder = tmp_path / "live"
    loop = folder / ("controls" if role == "worker" else role)

    async def lives() -> bool:
        return loop.exists() and await asyncio.to_thread(probe, folder) == 0

    try:
        await eventually(lives, 30)
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert list(folder.iterdir()) == []
