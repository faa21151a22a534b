"""The command as people start it: a process, a terminal, a signal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from client.fake_server import FakeServer

COMMAND = [sys.executable, "-W", "error", "-m", "objproc_client"]
TIMEOUT_S = 30


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.mark.parametrize(("ending", "code"), [("COMPLETED", 0), ("FAILED", 1)])
def test_the_exit_code_tells_how_the_object_ended(server: FakeServer, ending: str, code: int) -> None:
    server.ending_by_identifier["a"] = ending
    done = run("process", "--identifier", "a", "--data", '{"a": 1}', "--wait", "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["state"] == ending
    assert server.bodies[0]["data"] == {"a": 1}


def test_wrong_usage_is_2() -> None:
    done = run("process")
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: objproc process" in done.stderr


def test_an_unreachable_server_is_3(dead_url: str) -> None:
    done = run("status", "--url", dead_url)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["watch", "a"], ["process", "--identifier", "a", "--wait"]])
def test_an_interrupted_watch_is_130_and_says_that_the_work_goes_on(server: FakeServer, arguments: list[str]) -> None:
    server.ending_by_identifier["a"] = None
    server.submit("a")
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while "25 %" not in (line := running.stdout.readline()):
            assert line, running.stderr.read()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 130
    assert "on the server; follow with" in err
    assert "Traceback" not in err


def test_a_reader_who_leaves_causes_no_complaint(server: FakeServer) -> None:
    for number in range(300):
        server.submit(f"n{number}")
    with subprocess.Popen(
        [*COMMAND, "list", "--limit", "300", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
        running.wait(TIMEOUT_S)
    assert (running.returncode, err) == (141, "")


def test_a_terminal_sees_bars_and_waits_by_itself(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen([*COMMAND, "process", str(path)], stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        shown = read_all(ours)
    assert running.returncode == 0
    assert "COMPLETED" in shown
    assert "━" in shown


def read_all(descriptor: int) -> str:
    """Read a terminal until its other side is closed."""
    shown = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # Linux tells the end this way
            chunk = b""
        if not chunk:
            os.close(descriptor)
            return shown.decode()
        shown += chunk
