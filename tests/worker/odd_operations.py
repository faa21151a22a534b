"""Operations that misbehave, for the sandbox's tests."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from objproc.operations import Operation, OperationContext, OperationError, OperationFactory, OperationResult


class Odd(Operation):
    """Common to all of them."""

    memory_bytes = 256 << 20


@OperationFactory.register
class Copy(Odd):
    """Copies its source, and its inputs' names into the summary."""

    type = "copy"

    class Params(BaseModel):
        suffix: str = ""

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        context.report(0.5)
        target = context.artifact("copy.txt", "text/plain")
        target.write_bytes(context.source.path.read_bytes() + context.params.suffix.encode())
        return context.done(inputs=sorted(context.inputs))


@OperationFactory.register
class Hang(Odd):
    """Never ends, and ignores friendly signals."""

    type = "hang"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)


@OperationFactory.register
class Eat(Odd):
    """Eats memory."""

    type = "eat"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        eaten = []
        while True:
            eaten.append(bytearray(os.urandom(1 << 20)) * 8)


@OperationFactory.register
class Segfault(Odd):
    """Dies as native code does."""

    type = "segfault"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError


@OperationFactory.register
class Raise(Odd):
    """Raises an error that quotes content."""

    type = "raise"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        raise ValueError("secret content")


@OperationFactory.register
class Refuse(Odd):
    """Says why it cannot."""

    type = "refuse"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        raise OperationError("too_odd", "the content is too odd", is_retryable=True)


@OperationFactory.register
class Spy(Odd):
    """Says what it can see of the world."""

    type = "spy"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        try:
            socket.create_connection(("127.0.0.1", int(context.source.path.read_text())), timeout=1).close()
            network = "open"
        except OSError:
            network = "closed"
        return context.done(environment=sorted(os.environ), network=network, folder=str(Path.cwd()))


@OperationFactory.register
class Smuggle(Odd):
    """Declares a file outside its folder."""

    type = "smuggle"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        context.artifact("passwd", "text/plain").symlink_to("/etc/passwd")
        return context.done()


@OperationFactory.register
class Linger(Odd):
    """Leaves a grandchild behind that keeps the pipe open."""

    type = "linger"

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
        return context.done()
