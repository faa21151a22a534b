"""What an object and its operations are made of: content, artifacts, plans, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes an object is about, named by digest; small ones travel along as `inline` text."""

    sha256: str
    size: int
    media_type: str
    name: str
    inline: str | None = None
    """The content itself (UTF-8) where it is small; otherwise it lies in S3 under its digest."""
    is_upload: bool = False
    """True for the newest upload under the object's identifier: a retry takes up what is newest then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Bytes an operation left, named by digest."""

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt or an object failed; `code` is stable, `message` is for people."""

    code: str
    message: str
    operation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOperation:
    """One node of an object's plan, with all that running it needs: the catalogue may change later."""

    type: str
    requires: tuple[str, ...] = ()
    version: str = "1"
    pool: str = "default"
    attempts_max: int = 3
    deadline_ms: int = 3_600_000
    params: Mapping[str, Any] = field(default_factory=dict)
