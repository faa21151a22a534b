"""What an operation is: one class, one file of results, no server needed to run it.

@OperationFactory.register
class Redact(Operation):
    '''Blank the named columns.'''

    type = "redact"
    requires = ("transform",)
    accepts = (MediaKind.TABULAR,)
    version = "1"

    class Params(BaseModel):
        columns: list[str]

    def execute(self, context: OperationContext[Params]) -> OperationResult: ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class MediaKind(StrEnum):
    """What kind of content an operation can read."""

    TABULAR = "tabular"
    IMAGE = "image"
    DOCUMENT = "document"
    OTHER = "other"


class OperationError(Exception):
    """The operation says why it cannot succeed; `code` is stable, `message` is for its user.

    A retryable error is tried again as the operation's retry policy says; any other is final.
    The message must not quote content that may be personal.
    """

    def __init__(self, code: str, message: str, *, is_retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_retryable = is_retryable


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file an operation may read: the object's content, or an artifact of an earlier operation."""

    name: str
    """File name as its producer gave it, for example `orders.csv` or `data.parquet`."""
    media_type: str
    """Declared media type; `application/octet-stream` where nobody said."""
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hexadecimal digest of the bytes."""
    path: Path
    """Where the bytes lie, read-only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFile:
    """A file an operation leaves: written below `OperationContext.scratch`, digested by the worker."""

    name: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationResult:
    """What is left of a run: its artifacts, and a small summary for people.

    `summary` is JSON of at most `limits.SUMMARY_BYTES_MAX`; it becomes part of the event, so no value
    of the content belongs in it: only counts, sizes, names of columns and kinds.
    """

    artifacts: tuple[ArtifactFile, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


class NoParams(BaseModel):
    """Parameters of an operation that takes none."""

    model_config = ConfigDict(extra="forbid")


P = TypeVar("P", bound=BaseModel)


@dataclass(slots=True, kw_only=True)
class OperationContext(Generic[P]):
    """All that an operation may touch."""

    object_id: str
    identifier: str
    params: P
    source: InputFile
    """The object's content. An object without content has the JSON document of its own request."""
    inputs: Mapping[str, InputFile]
    """Artifacts of all operations before this one in the plan, by artifact name."""
    scratch: Path
    """An empty folder of the run's own; it is removed afterwards."""
    threads: int = 1
    """How many threads the run may keep busy."""
    memory_bytes: int = 1 << 30
    """How much memory the run may use; beyond it the child is stopped."""
    report: Callable[[float], None] = lambda fraction: None
    """Tells the share of the work that is done, 0.0 to 1.0; calls are cheap and thinned out."""
    artifacts: list[ArtifactFile] = field(default_factory=list)

    def artifact(self, name: str, media_type: str) -> Path:
        """Declare an artifact and return the path to write it to."""
        path = self.scratch / name
        self.artifacts.append(ArtifactFile(name=name, media_type=media_type, path=path))
        return path

    def done(self, **summary: Any) -> OperationResult:
        """The result made of the artifacts declared so far and this summary."""
        return OperationResult(artifacts=tuple(self.artifacts), summary=summary)


class Operation(ABC):
    """Base class of operations. Stateless: one instance may run many times."""

    type: ClassVar[str]
    """Name, unique in the system: lower case, digits and `-`."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Operations that must succeed first; asking for this one plans them too."""
    accepts: ClassVar[tuple[MediaKind, ...]] = (MediaKind.TABULAR,)
    version: ClassVar[str] = "1"
    """Changes whenever the same input may give other bytes."""
    pool: ClassVar[str] = "default"
    """Workers that serve this pool run it."""
    is_inline: ClassVar[bool] = False
    """True runs `execute` inside the worker, without a child process: only for work of microseconds."""
    attempts_max: ClassVar[int] = 3
    deadline_s: ClassVar[float] = 3600.0
    """Seconds one attempt may take; then its child is stopped with the error `timeout`."""
    memory_bytes: ClassVar[int] = 2 << 30
    """Memory of the child; beyond it the attempt ends with `resource_limit`."""

    class Params(NoParams):
        """Typed parameters; the catalogue publishes their JSON Schema."""

    @abstractmethod
    def execute(self, context: OperationContext[Any]) -> OperationResult:
        """Read `context.source` and `context.inputs`, write artifacts, return the result.

        Raises OperationError for what its user can understand; anything else counts as `crashed`.
        """
