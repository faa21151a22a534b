"""Five dependent operations that do nothing: what every peer is compared on."""

from __future__ import annotations

from typing import Any

from objproc.operations import Operation, OperationContext, OperationFactory, OperationResult


class Noop(Operation):
    """Receives the object id, returns a tiny result."""

    is_inline = True

    def execute(self, context: OperationContext[Any]) -> OperationResult:
        return OperationResult(summary={"object": context.object_id})


for number in range(1, 6):
    OperationFactory.register(
        type(
            f"Noop{number}",
            (Noop,),
            {"type": f"noop{number}", "requires": (f"noop{number - 1}",) if number > 1 else ()},
        )
    )
