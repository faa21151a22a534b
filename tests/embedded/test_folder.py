"""The data folder: one stack at a time, its secrets kept, nothing of an earlier one left running."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.support import is_running
from objproc_embedded.errors import DataLostError, FolderInUseError, StackError
from objproc_embedded.folder import DataFolder
from objproc_embedded.identity import is_same, start_mark
from objproc_embedded.record import Record


def sleeper(*, is_deaf: bool = False) -> subprocess.Popen[bytes]:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if is_deaf else ""
    code = f"{deaf}print(flush=True); import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_folder_in_use_is_refused_and_names_the_process(tmp_path: Path):
    first = DataFolder.open(tmp_path)
    with pytest.raises(FolderInUseError, match=f"{tmp_path} is in use by process {os.getpid()}"):
        DataFolder.open(tmp_path)
    first.close()
    DataFolder.open(tmp_path).close()


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot be used"):
        DataFolder.open(tmp_path / "file")


def test_secrets_and_ports_are_kept_for_the_owner_only(tmp_path: Path):
    record = Record(tmp_path / "stack.json")
    secret = record.secret("postgres")
    record.remember_port("api", 8000)
    again = Record(tmp_path / "stack.json")
    assert (again.secret("postgres"), again.port("api"), again.port("other")) == (secret, 8000, None)
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_a_damaged_record_is_told_as_such(tmp_path: Path):
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(DataLostError, match="damaged"):
        DataFolder.open(tmp_path)


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_what_an_earlier_supervisor_left_running_is_ended(
    tmp_path: Path, is_deaf: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("objproc_embedded.folder.LEFTOVER_GRACE_S", 0.3)
    left = sleeper(is_deaf=is_deaf)
    Record(tmp_path / "stack.json").add_child(left.pid)
    data = DataFolder.open(tmp_path)
    await data.end_leftovers()
    assert not is_running(left.pid)
    assert data.record.children() == {}
    data.close()
    left.wait()


async def test_a_process_that_only_has_the_pid_of_an_earlier_child_is_left_alone(tmp_path: Path):
    other = sleeper()
    (tmp_path / "stack.json").write_text(f'{{"children": {{"{other.pid}": "an earlier start"}}}}')
    data = DataFolder.open(tmp_path)
    await data.end_leftovers()
    assert is_running(other.pid)
    data.close()
    other.kill()
    other.wait()


async def test_scratch_folders_of_an_earlier_start_are_removed(tmp_path: Path):
    scratch = tmp_path / "elsewhere"
    scratch.mkdir()
    data = DataFolder.open(tmp_path / "data")
    data.record.set_scratch([scratch])
    await data.end_leftovers()
    assert not scratch.exists()
    data.close()


def test_an_ended_process_has_no_mark_even_before_it_is_reaped():
    process = sleeper()
    mark = start_mark(process.pid)
    assert mark is not None
    assert is_same(process.pid, mark)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start_mark(process.pid) is None
    process.wait()
    assert start_mark(process.pid) is None
