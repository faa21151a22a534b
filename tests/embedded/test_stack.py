"""The stack: services started, found healthy, replicated, stopped. Stand-ins take the services' place."""

import asyncio
import signal
import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from embedded.support import COMMANDS, OWN_SERVERS, STANDIN, is_running, until
from objproc_embedded import Stack, StackError
from objproc_embedded.errors import PortInUseError, StartFailedError

SERVICES = ("scheduler", "projector", "worker", "api")


def status_of(url: str) -> int:
    with urllib.request.urlopen(f"{url}/health") as answer:
        return answer.status


async def test_a_stack_that_is_ready_answers(tmp_path: Path):
    async with Stack(tmp_path, env=OWN_SERVERS, commands=COMMANDS) as stack:
        assert await asyncio.to_thread(status_of, stack.url) == 200
        assert [len(stack.pids(name)) for name in SERVICES] == [1, 1, 1, 1]


async def test_services_get_the_addresses_and_a_place_for_their_files(tmp_path: Path):
    async with Stack(tmp_path, env={**OWN_SERVERS, "LOG_LEVEL": "DEBUG"}, commands=COMMANDS) as stack:
        assert stack.env | OWN_SERVERS | {"LOG_LEVEL": "DEBUG"} == stack.env
        lines = await until(lambda: stack.log("worker").tail(1))
        assert lines == [f"worker says hello with CACHE_DIR={tmp_path / 'cache' / 'worker'}"]


async def test_replicas_run_side_by_side_and_every_one_of_the_api_answers(tmp_path: Path):
    replicas = {"api": 2, "worker": 3}
    async with Stack(tmp_path, env=OWN_SERVERS, commands=COMMANDS, replicas=replicas) as stack:
        assert len(stack.pids("worker")) == 3
        assert len(stack.pids("worker-2")) == 1
        assert [await asyncio.to_thread(status_of, url) for url in stack.urls] == [200, 200]


async def test_the_environment_says_how_many_run(tmp_path: Path):
    async with Stack(tmp_path, env={**OWN_SERVERS, "WORKERS": "2"}, commands=COMMANDS) as stack:
        assert len(stack.pids("worker")) == 2


@pytest.mark.parametrize("count", ["0", "many", "-1"])
async def test_a_count_that_is_none_is_refused(tmp_path: Path, count: str):
    with pytest.raises(StackError, match=f"WORKERS={count}"):
        async with Stack(tmp_path, env={**OWN_SERVERS, "WORKERS": count}, commands=COMMANDS):
            pass


async def test_an_unknown_service_is_refused(tmp_path: Path):
    with pytest.raises(StackError, match="no service is called cook"):
        async with Stack(tmp_path, env=OWN_SERVERS, commands=COMMANDS, replicas={"cook": 1}):
            pass


async def test_a_killed_service_is_started_again_on_the_same_port(tmp_path: Path):
    told: list[str] = []
    async with Stack(tmp_path, env=OWN_SERVERS, commands=COMMANDS, tell=told.append) as stack:
        pids = stack.pids("api")
        stack.kill("api", signal.SIGKILL)
        await until(lambda: stack.pids("api") not in ([], pids))
        await stack.wait_ready()
        assert await asyncio.to_thread(status_of, stack.url) == 200
    assert told == ["api ended (killed by SIGKILL); restart 1 in 0.2 s"]


async def test_a_service_can_be_stopped_and_started(tmp_path: Path):
    async with Stack(tmp_path, env=OWN_SERVERS, commands=COMMANDS) as stack:
        await stack.stop("scheduler")
        assert stack.pids("scheduler") == []
        await stack.start("scheduler")
        assert len(stack.pids("scheduler")) == 1


async def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortInUseError, match="is in use by"):
        async with Stack(tmp_path / "data", other.getsockname()[1], env=OWN_SERVERS, commands=COMMANDS):
            pass
    assert not (tmp_path / "data").exists()


async def test_a_service_that_keeps_ending_fails_the_start_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("objproc_embedded.keeper.DELAY_FIRST_S", 0.01)
    commands = {**COMMANDS, "api": (sys.executable, STANDIN, "api", "failing")}
    stack = Stack(tmp_path, env=OWN_SERVERS, commands=commands, tell=lambda _: None)
    with pytest.raises(StartFailedError, match=r"api: keeps ending(?s:.*)there is no such table"):
        async with stack:
            pass
    assert [stack.pids(name) for name in SERVICES] == [[], [], [], []]


async def test_a_service_that_never_answers_fails_the_start_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("objproc_embedded.stack.READY_TIMEOUT_S", 0.5)
    commands = {**COMMANDS, "api": (sys.executable, STANDIN, "waiter")}
    with pytest.raises(StartFailedError, match="not ready in time"):
        async with Stack(tmp_path, env=OWN_SERVERS, commands=commands):
            pass


async def test_nothing_runs_once_the_stack_is_closed(tmp_path: Path):
    async with Stack(tmp_path, env=OWN_SERVERS, commands=COMMANDS, replicas={"worker": 2}) as stack:
        pids = [pid for name in SERVICES for pid in stack.pids(name)]
    assert not any(is_running(pid) for pid in pids)
