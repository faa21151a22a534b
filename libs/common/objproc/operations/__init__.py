"""The operation kit: everything an own operation imports."""

from objproc.operations.factory import OperationFactory
from objproc.operations.operation import (
    ArtifactFile,
    InputFile,
    MediaKind,
    NoParams,
    Operation,
    OperationContext,
    OperationError,
    OperationResult,
)

__all__ = [
    "ArtifactFile",
    "InputFile",
    "MediaKind",
    "NoParams",
    "Operation",
    "OperationContext",
    "OperationError",
    "OperationFactory",
    "OperationResult",
]
