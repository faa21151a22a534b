"""A program is kept running until it is told to stop."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.support import is_running, program, until
from objproc_embedded import log as log_module
from objproc_embedded.child import Program
from objproc_embedded.folder import DataFolder
from objproc_embedded.log import Log
from objproc_embedded.supervisor import Supervisor


@pytest.fixture
async def data(tmp_path: Path) -> AsyncIterator[DataFolder]:
    folder = DataFolder.open(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def supervisor(told: list[str], data: DataFolder) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(told.append)
    yield supervisor
    await supervisor.close()
    assert data.record.children() == {}


async def test_a_killed_program_is_started_again_and_that_is_told(
    supervisor: Supervisor, data: DataFolder, told: list[str]
):
    await supervisor.start(program(), data)
    [keeper] = supervisor.keepers("it")
    first = keeper.pid
    keeper.send(signal.SIGKILL)
    second = await until(lambda: keeper.pid if keeper.pid != first else None)
    assert second is not None
    assert told == ["it ended (killed by SIGKILL); restart 1 in 0.2 s"]


async def test_a_program_that_keeps_ending_waits_longer_each_time(
    supervisor: Supervisor, data: DataFolder, told: list[str]
):
    await supervisor.start(program("failing"), data)
    await until(lambda: len(told) == 3)
    assert [line.rpartition("in ")[2] for line in told] == ["0.2 s", "0.4 s", "0.8 s"]
    assert all("exit code 1" in line for line in told)
    [keeper] = supervisor.keepers("it")
    assert keeper.log.tail(1) == ["there is no such table"]


async def test_a_program_that_cannot_be_started_is_tried_again_and_that_is_told(
    supervisor: Supervisor, data: DataFolder, told: list[str], tmp_path: Path
):
    await supervisor.start(Program(name="it", command=("/no/such/file",), environment={}, folder=tmp_path), data)
    await until(lambda: told)
    assert "cannot be started: [Errno 2]" in told[0]


async def test_stopping_ends_a_deaf_program_after_its_grace(supervisor: Supervisor, data: DataFolder):
    await supervisor.start(program("stubborn", grace_s=0.2), data)
    [keeper] = supervisor.keepers("it")
    pid = keeper.pid
    assert pid is not None
    await until(lambda: keeper.log.tail(1))
    await keeper.stop()
    assert not is_running(pid)
    assert keeper.pid is None


async def test_a_halted_program_hears_that_it_is_stopped(supervisor: Supervisor, data: DataFolder):
    await supervisor.start(program(), data)
    [keeper] = supervisor.keepers("it")
    await until(lambda: keeper.log.tail(1))
    keeper.send(signal.SIGSTOP)
    await keeper.stop()
    assert keeper.pid is None


async def test_what_a_killed_program_had_started_ends_with_it(supervisor: Supervisor, data: DataFolder):
    await supervisor.start(program("parent"), data)
    [keeper] = supervisor.keepers("it")
    line = await until(lambda: [text for text in keeper.log.tail(5) if text.startswith("child=")])
    grandchild = int(line[0].removeprefix("child="))
    keeper.send(signal.SIGKILL)
    await until(lambda: not is_running(grandchild))


async def test_a_stopped_program_can_be_started_again(supervisor: Supervisor, data: DataFolder, told: list[str]):
    await supervisor.start(program(), data)
    [keeper] = supervisor.keepers("it")
    await keeper.stop()
    await keeper.stop()
    assert keeper.pid is None
    await keeper.start()
    assert keeper.pid is not None
    assert told == []


async def test_hurry_ends_even_the_deaf_at_once_and_for_good(supervisor: Supervisor, data: DataFolder, told: list[str]):
    await supervisor.start(program("stubborn", grace_s=600), data)
    supervisor.hurry()
    await supervisor.close()
    assert supervisor.keepers("it")[0].pid is None
    assert told == []


def test_a_log_that_has_grown_too_long_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_module, "BYTES_MAX", 8)
    log = Log(tmp_path / "it.log")
    assert log.tail(3) == []
    log.path.write_text("one\ntwo\nthree\n")
    assert log.tail(2) == ["two", "three"]
    log.trim()
    assert log.path.read_text() == ""
    assert (tmp_path / "it.log.1").read_text() == "one\ntwo\nthree\n"
