"""The worker's side of the sandbox: runs an operation in a child of the zygote and says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from objproc.errors import SetupError
from objproc.telemetry import Log

log = Log("sandbox")

LINE_BYTES_MAX = 1 << 20
START_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 2.0
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: with a result, or with an error of the operation, or of its child."""

    result: dict[str, Any] | None
    code: str = ""
    message: str = ""
    is_retryable: bool = False


class Sandbox:
    """One zygote, and the runs under way in its children. A zygote that dies is started again."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._listener: asyncio.Task[None] | None = None
        self._exits: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next_id = 0
        self._starting = asyncio.Lock()
        self._is_up = False
        self.is_network_isolated = False

    async def start(self) -> None:
        """Start the zygote, unless it runs. SetupError where it cannot load the operations."""
        async with self._starting:
            if self._is_up:
                return
            await self.stop()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            self._control = ours
            with theirs:
                self._process = await self._spawn(theirs)
            async with asyncio.timeout(START_TIMEOUT_S):
                hello = await asyncio.get_running_loop().sock_recv(ours, LINE_BYTES_MAX)
            if not hello:
                raise SetupError("the operations cannot be loaded; the log above says why")
            self.is_network_isolated = json.loads(hello)["is_network_isolated"]
            if not self.is_network_isolated:
                log.warning("network_not_isolated", reason="the platform lets no process leave the network")
            self._is_up = True
            self._listener = asyncio.create_task(self._listen(ours))

    async def _spawn(self, control: socket.socket) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "objproc_worker.zygote",
            str(os.getpid()),
            str(control.fileno()),
            ",".join(self._modules),
            pass_fds=(control.fileno(),),
            env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,
        )

    async def stop(self) -> None:
        """End the zygote and every child."""
        self._is_up = False
        if self._listener is not None:
            self._listener.cancel()
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def run(
        self,
        request: dict[str, Any],
        deadline_s: float,
        stop: asyncio.Event,
        on_progress: Callable[[float], None],
    ) -> Outcome:
        """Run `request` (see child.py) in a child until it ends, its deadline passes, or `stop` is set."""
        await self.start()
        run_id = self._next_id = self._next_id + 1
        exited = self._exits[run_id] = asyncio.get_running_loop().create_future()
        read_end, write_end = os.pipe()
        try:
            await self._send({**request, "run_id": run_id}, write_end)
        finally:
            os.close(write_end)
        answers = asyncio.create_task(self._read(read_end, on_progress))
        stopped = asyncio.create_task(stop.wait())
        reason = ""
        try:
            done, _ = await asyncio.wait(
                {answers, stopped, exited}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED
            )
            if stopped in done and answers not in done:
                reason = "stopped"
            elif not done:
                reason = "timeout"
            if reason:
                await self._send({"kill": run_id}, None)
            exit_message = await exited
            # a grandchild may keep the pipe open; it has no say any more
            await asyncio.wait({answers}, timeout=DRAIN_TIMEOUT_S)
            answer = answers.result() if answers.done() else None
        finally:
            stopped.cancel()
            answers.cancel()
            self._exits.pop(run_id, None)
        return outcome_of(reason, answer, exit_message, deadline_s, request["memory_bytes"])

    async def _send(self, message: dict[str, Any], descriptor: int | None) -> None:
        assert self._control is not None
        data = json.dumps(message).encode()
        descriptors = [] if descriptor is None else [descriptor]
        while True:
            try:
                socket.send_fds(self._control, [data], descriptors)
                return
            except BlockingIOError:
                await asyncio.sleep(0.001)
            except OSError:
                return  # the zygote has ended: the listener ends every run

    async def _read(self, read_end: int, on_progress: Callable[[float], None]) -> dict[str, Any] | None:
        """Lines of the child until it ends; the last one that is no progress is its answer."""
        reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
        )
        answer: dict[str, Any] | None = None
        try:
            async for line in reader:
                with contextlib.suppress(ValueError):  # a child that dies may leave half a line
                    message = json.loads(line)
                    if "progress" in message:
                        on_progress(message["progress"])
                    else:
                        answer = message
        except ValueError:
            return None  # a line beyond the limit is no answer of ours
        finally:
            transport.close()
        return answer

    async def _listen(self, control: socket.socket) -> None:
        """Exits of children; when the zygote itself ends, all its children have."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # a zygote that dies with requests unread resets the connection
            while data := await loop.sock_recv(control, LINE_BYTES_MAX):
                message = json.loads(data)
                exited = self._exits.get(message["run_id"])
                if exited is not None and not exited.done():
                    exited.set_result(message)
        self._is_up = False
        log.error("zygote_ended", runs=len(self._exits))
        for exited in self._exits.values():
            if not exited.done():
                exited.set_result({"exit": -signal.SIGKILL, "is_over_memory": False})


def outcome_of(
    reason: str, answer: dict[str, Any] | None, exit_message: dict[str, Any], deadline_s: float, memory_bytes: int
) -> Outcome:
    """What the end of a child means."""
    if reason == "stopped":
        return Outcome(None, "stopped", "the run was stopped")
    if reason == "timeout":
        return Outcome(None, "timeout", f"the operation took longer than its deadline of {deadline_s:g} s", True)
    if exit_message["is_over_memory"] or exit_message["exit"] == -signal.SIGXCPU:
        what = f"{memory_bytes} bytes of memory" if exit_message["is_over_memory"] else "its CPU time"
        return Outcome(None, "resource_limit", f"the operation needs more than {what}")
    if answer is None:
        number = -exit_message["exit"]
        how = f"signal {signal.Signals(number).name}" if number in set(signal.Signals) else f"exit code {-number}"
        return Outcome(None, "crashed", f"the operation's process ended with {how}", True)
    if "error" in answer:
        error = answer["error"]
        return Outcome(None, str(error["code"]), str(error["message"]), bool(error["is_retryable"]))
    return Outcome(answer)
