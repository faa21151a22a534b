"""The zygote: a small process that has all operations loaded and forks a child for each run.

It starts with no credentials in its environment and leaves the network behind before it loads anything. Messages
go over one SOCK_SEQPACKET socket to the worker: requests to run (with the pipe for the result) or to kill come in,
exits go out.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objproc.operations import OperationFactory
from objproc_worker import child

MESSAGE_BYTES_MAX = 1 << 20
LOOK_EVERY_S = 0.1
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Running:
    """A child at work."""

    run_id: int
    memory_bytes: int
    is_over: bool = False
    """True once it was killed for its memory."""


class Zygote:
    """Forks, watches and reaps."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, Running] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        wake_in, self._wake_out = socket.socketpair()
        wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._wake = wake_in
        self._selector.register(wake_in, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the worker closes its end."""
        signal.set_wakeup_fd(self._wake_out.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready = self._selector.select(LOOK_EVERY_S if self._children else None)
            for key, _ in ready:
                if key.fileobj is self._control and not self._obey():
                    return
                if key.fileobj is self._wake:
                    self._wake.recv(4096)
            self._reap()
            self._watch_memory()

    def _obey(self) -> bool:
        data, pipes, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES_MAX, 1)
        if not data:
            for pid in self._children:
                os.killpg(pid, signal.SIGKILL)
            return False
        message = json.loads(data)
        if "kill" in message:
            for pid, running in self._children.items():
                if running.run_id == message["kill"]:
                    self._kill(pid)
            return True
        own_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(message, pipes[0], own_pid)
        os.close(pipes[0])
        self._children[pid] = Running(message["run_id"], message["memory_bytes"])
        return True

    def _become_child(self, message: dict[str, Any], pipe: int, parent_pid: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent(parent_pid)
            self._control.close()
            child.run(message, pipe)
        finally:
            sys.stderr.flush()
            os._exit(0)

    def _kill(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:  # forked, but not yet the leader of its own group
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._children:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ended.si_pid, signal.SIGKILL)  # whatever it left behind; its id is not free before wait4
            pid, status, usage = os.wait4(ended.si_pid, 0)
            running = self._children.pop(pid)
            exit_message = {
                "run_id": running.run_id,
                "exit": os.waitstatus_to_exitcode(status),
                "is_over_memory": running.is_over,
                "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
                "memory_bytes": usage.ru_maxrss * 1024,
            }
            self._control.send(json.dumps(exit_message).encode())

    def _watch_memory(self) -> None:
        page = resource.getpagesize()
        for pid, running in self._children.items():
            try:
                resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
            except (OSError, ValueError):
                continue
            if (int(resident) - int(shared)) * page > running.memory_bytes:
                running.is_over = True
                self._kill(pid)


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent goes; end at once if it is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(0)


def leave_network() -> bool:
    """Move into an empty network namespace; False where the platform does not let us."""
    unshare = getattr(ctypes.CDLL(None, use_errno=True), "unshare", None)
    if unshare is None:
        return False
    return any(unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def main() -> None:
    """`python -m objproc_worker.zygote WORKER_PID FD MODULES`, started by the sandbox."""
    worker_pid, descriptor, modules = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's business
    die_with_parent(worker_pid)
    is_isolated = leave_network()
    OperationFactory.load(name for name in modules if name)
    gc.freeze()
    control.send(json.dumps({"is_network_isolated": is_isolated}).encode())
    Zygote(control).serve()


if __name__ == "__main__":
    main()
