"""OperationDependencyGraph: which operations a request really means, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


class GraphError(ValueError):
    """The operations asked for make no plan. `operation` is the one to look at."""

    def __init__(self, operation: str, message: str) -> None:
        super().__init__(message)
        self.operation = operation


class OperationDependencyGraph:
    """A DAG of operation names.

    `requires` maps every known operation to the operations that must succeed before it.
    """

    def __init__(self, requires: Mapping[str, Iterable[str]]) -> None:
        self._requires = {name: tuple(parents) for name, parents in requires.items()}

    def plan(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """`wanted` and everything they need, parents first; the order is stable for equal input.

        GraphError for an unknown name, a requirement nobody offers, or a cycle.
        """
        needed: dict[str, tuple[str, ...]] = {}
        open_names = list(dict.fromkeys(wanted))
        for name in open_names:
            if name not in self._requires:
                raise GraphError(name, f"unknown operation {name!r}; known: {', '.join(sorted(self._requires))}")
        while open_names:
            name = open_names.pop(0)
            if name in needed:
                continue
            parents = self._requires[name]
            for parent in parents:
                if parent not in self._requires:
                    raise GraphError(name, f"operation {name!r} requires {parent!r}, which nobody offers")
            needed[name] = parents
            open_names.extend(parents)
        try:
            return tuple(TopologicalSorter({name: needed[name] for name in sorted(needed)}).static_order())
        except CycleError as error:
            cycle = [str(name) for name in error.args[1]]
            raise GraphError(cycle[0], f"operations require each other: {' → '.join(cycle)}") from error
