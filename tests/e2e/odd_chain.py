"""Operations for the end-to-end tests: a chain that takes a moment, and one that never ends."""

from __future__ import annotations

import time
from typing import Any

from pydantic import BaseModel

from objproc.operations import MediaKind, Operation, OperationContext, OperationError, OperationFactory, OperationResult


@OperationFactory.register
class First(Operation):
    """Inline, before the nap."""

    type = "first"
    is_inline = True

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        return context.done()


@OperationFactory.register
class Nap(Operation):
    """Takes a moment in a child process and leaves a file."""

    type = "nap"
    requires = ("first",)
    accepts = tuple(MediaKind)

    class Params(BaseModel):
        seconds: float = 0.02

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        steps = 10
        for step in range(steps):
            time.sleep(context.params.seconds / steps)
            context.report((step + 1) / steps)
        context.artifact("nap.txt", "text/plain").write_text(context.identifier)
        return context.done()


@OperationFactory.register
class Last(Operation):
    """Inline, after the nap."""

    type = "last"
    requires = ("nap",)
    is_inline = True

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        return context.done()


@OperationFactory.register
class Unlucky(Operation):
    """Fails again and again, although it may be tried again."""

    type = "unlucky"
    attempts_max = 2

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        raise OperationError("bad_luck", "it did not work this time", is_retryable=True)


@OperationFactory.register
class Busy(Operation):
    """Inline, although it keeps a CPU busy for much longer than two heartbeats."""

    type = "busy"
    is_inline = True

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            pass
        return context.done()
