"""Whatever an operation does costs its own attempt only."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from objproc.domain.content import Artifact, Content
from objproc.domain.tasks import Task
from objproc.operations import OperationFactory
from objproc_worker.cache import Cache
from objproc_worker.runs import OperationRunner, RunError, RunResult
from objproc_worker.sandbox import Sandbox

MODULE = "worker.odd_operations"
TESTS = Path(__file__).parents[1]


class Bucket:
    """A bucket in a dict, a double of the object store."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put_file(self, key: str, path: Path, media_type: str) -> None:
        self.files[key] = path.read_bytes()

    async def get_file(self, key: str, path: Path, sha256: str) -> None:
        path.write_bytes(self.files[key])


class World:
    """A runner with its surroundings."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.bucket = Bucket()
        self.cache = Cache(folder, self.bucket, 1 << 20)
        self.sandbox = sandbox
        self.scratch = folder / "scratch"
        self.runner = OperationRunner(sandbox, self.cache, self.bucket, folder)
        self.progress: list[float] = []

    async def run(
        self,
        operation: str,
        source: str = "hello",
        *,
        deadline_s: float = 30,
        stop: asyncio.Event | None = None,
        **more,
    ) -> RunResult:
        content = Content(sha256="0" * 64, size=len(source), media_type="text/plain", name="source.txt", inline=source)
        task = Task(
            object_id="o",
            tenant="default",
            identifier="i",
            operation=operation,
            attempt=1,
            version="1",
            params=more.get("params", {}),
            deadline_ms=int(deadline_s * 1000),
            content=more.get("content", content),
            inputs=more.get("inputs", ()),
        )
        async with AsyncExitStack() as stack:
            return await self.runner.run(task, stack, stop or asyncio.Event(), self.progress.append)

    async def fail(self, operation: str, **more: Any) -> RunError:
        with pytest.raises(RunError) as caught:
            await self.run(operation, **more)
        return caught.value


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    OperationFactory.load([MODULE])
    sandbox = Sandbox([MODULE])
    try:
        await sandbox.start()
        yield World(tmp_path, sandbox)
    finally:
        await sandbox.stop()


async def test_an_operation_leaves_artifacts_by_digest_and_its_scratch_goes(world: World) -> None:
    result = await world.run("copy", params={"suffix": "!"})
    (artifact,) = result.artifacts
    assert world.bucket.files[f"default/{artifact.sha256}"] == b"hello!"
    assert artifact.size == 6
    assert world.progress == [0.5]
    assert list(world.scratch.iterdir()) == []


async def test_inputs_come_from_the_bucket_and_stay_in_the_cache(world: World) -> None:
    first = await world.run("copy")
    digest = first.artifacts[0].sha256
    world.bucket.files.clear()
    artifact = Artifact(name="copy.txt", media_type="text/plain", size=5, sha256=digest)
    second = await world.run("copy", inputs=(artifact,))
    assert second.summary == {"inputs": ["copy.txt"]}


async def test_a_hanging_operation_ends_by_its_deadline(world: World) -> None:
    error = await world.fail("hang", deadline_s=0.5)
    assert (error.code, error.is_retryable) == ("timeout", True)


async def test_a_stopped_operation_is_gone_at_once_even_if_it_ignores_signals(world: World) -> None:
    stop = asyncio.Event()
    run = asyncio.create_task(world.fail("hang", stop=stop))
    await asyncio.sleep(0)
    stop.set()
    assert (await run).code == "stopped"


async def test_too_much_memory_is_a_limit_and_not_a_crash(world: World) -> None:
    error = await world.fail("eat")
    assert (error.code, error.is_retryable) == ("resource_limit", False)


async def test_a_crash_names_its_signal(world: World) -> None:
    error = await world.fail("segfault")
    assert (error.code, error.is_retryable) == ("crashed", True)
    assert "SIGSEGV" in error.message


async def test_an_unknown_error_never_quotes_content(world: World) -> None:
    error = await world.fail("raise")
    assert error.code == "crashed"
    assert "secret" not in error.message


async def test_an_operations_own_error_is_handed_on(world: World) -> None:
    error = await world.fail("refuse")
    assert (error.code, error.message, error.is_retryable) == ("too_odd", "the content is too odd", True)


async def test_wrong_params_are_final(world: World) -> None:
    error = await world.fail("copy", params={"suffix": 7})
    assert (error.code, error.is_retryable) == ("invalid_params", False)


async def test_a_child_has_no_credentials_and_no_network(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = await world.run("spy", source=str(server.getsockname()[1]))
    assert result.summary["environment"] == []
    assert result.summary["network"] == ("closed" if world.sandbox.is_network_isolated else "open")


async def test_a_file_outside_the_folder_is_no_artifact(world: World) -> None:
    error = await world.fail("smuggle")
    assert error.code == "bad_artifact"
    assert world.bucket.files == {}


async def test_a_grandchild_that_keeps_the_pipe_open_holds_nothing_up(world: World) -> None:
    result = await world.run("linger")
    assert result.artifacts == ()


async def test_an_operation_nobody_knows_may_be_known_elsewhere(world: World) -> None:
    error = await world.fail("nonsense")
    assert (error.code, error.is_retryable) == ("unknown_operation", True)


async def test_a_zygote_that_is_killed_is_started_again(world: World) -> None:
    run = asyncio.create_task(world.fail("hang"))
    while not world.sandbox._exits:
        await asyncio.sleep(0)
    assert world.sandbox._process is not None
    os.kill(world.sandbox._process.pid, signal.SIGKILL)
    assert (await run).code == "crashed"
    assert (await world.run("copy")).summary == {"inputs": []}


async def test_many_runs_at_once_do_not_disturb_each_other(world: World) -> None:
    runs = [world.fail("segfault"), world.run("copy"), world.fail("hang", deadline_s=0.3), world.run("copy")]
    results = await asyncio.gather(*runs)
    assert [type(result) for result in results] == [RunError, RunResult, RunError, RunResult]
