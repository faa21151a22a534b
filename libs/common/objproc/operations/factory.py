"""The registry of operations: built in, from entry points, and from modules named in the settings."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import ClassVar, TypeVar

from objproc.operations.operation import Operation

ENTRY_POINT_GROUP = "objproc.operations"
TYPE_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,62}")

O = TypeVar("O", bound=type[Operation])  # noqa: E741 - the class being decorated


class OperationFactory:
    """Names to operation classes. Registration happens at import; reading never changes it."""

    _registered: ClassVar[dict[str, type[Operation]]] = {}

    @classmethod
    def register(cls, operation: O) -> O:
        """Class decorator. ValueError for a bad name, or one that another class already has."""
        name = operation.type
        if not TYPE_PATTERN.fullmatch(name):
            raise ValueError(f"operation type {name!r} must match {TYPE_PATTERN.pattern}")
        known = cls._registered.get(name)
        if known is not None and known.__qualname__ != operation.__qualname__:
            raise ValueError(f"operation type {name!r} is registered by {known.__qualname__} already")
        cls._registered[name] = operation
        return operation

    @classmethod
    def create(cls, name: str) -> Operation:
        """An instance of the operation called `name`; KeyError where nobody registered it."""
        return cls._registered[name]()

    @classmethod
    def all(cls) -> dict[str, type[Operation]]:
        """Every registered operation by name."""
        return dict(cls._registered)

    @classmethod
    def load(cls, modules: Iterable[str] = ()) -> None:
        """Import the operations of installed distributions, then those of `modules`."""
        for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
            point.load()
        for module in modules:
            importlib.import_module(module)
