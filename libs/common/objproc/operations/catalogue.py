"""The catalogue: what workers announce of their operations, and what the api plans with."""

from __future__ import annotations

from typing import Any

import msgspec

from objproc.domain.content import PlannedOperation
from objproc.operations.factory import OperationFactory
from objproc.operations.operation import Operation


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as everybody may know it."""

    type: str
    description: str
    version: str
    requires: tuple[str, ...]
    accepts: tuple[str, ...]
    pool: str
    attempts_max: int
    deadline_s: float
    params_schema: dict[str, Any]
    """JSON Schema (2020-12) of the parameters."""

    def planned(self, params: dict[str, Any]) -> PlannedOperation:
        """The operation as a node of a plan."""
        return PlannedOperation(
            type=self.type,
            requires=self.requires,
            version=self.version,
            pool=self.pool,
            attempts_max=self.attempts_max,
            deadline_ms=int(self.deadline_s * 1000),
            params=params,
        )


def entry_of(operation: type[Operation]) -> CatalogueEntry:
    """What the catalogue says of an operation class."""
    return CatalogueEntry(
        type=operation.type,
        description=(operation.__doc__ or "").strip().partition("\n")[0],
        version=operation.version,
        requires=operation.requires,
        accepts=tuple(kind.value for kind in operation.accepts),
        pool="inline" if operation.is_inline else operation.pool,
        attempts_max=operation.attempts_max,
        deadline_s=operation.deadline_s,
        params_schema=operation.Params.model_json_schema(),
    )


def announcements() -> dict[str, bytes]:
    """Every registered operation as a worker announces it."""
    return {name: encode_entry(entry_of(operation)) for name, operation in OperationFactory.all().items()}


def encode_entry(entry: CatalogueEntry) -> bytes:
    """A catalogue entry as it is announced."""
    return msgspec.json.encode(entry)


def decode_entry(body: bytes) -> CatalogueEntry:
    """A catalogue entry as it was announced."""
    return msgspec.json.decode(body, type=CatalogueEntry)
