"""The projection as a pure function: aggregates to rows."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from objproc.domain.partition_record import PartitionRecord
from objproc.domain.processing_object import Aggregate, ProcessingObject, StoredContent
from objproc.wire.codec import encode_aggregate


class ObjectRow(NamedTuple):
    """A row of `objects`, columns in the table's order."""

    object_id: UUID
    partition: int
    tenant: str
    identifier: str
    operations: list[str]
    tags: list[str]
    submitted_at: datetime
    state: str
    version: int
    error_code: str | None
    updated_at: datetime
    finished_at: datetime | None
    aggregate: bytes


class ContentRow(NamedTuple):
    """A row of `contents` or `records`, columns in the tables' order."""

    object_id: UUID
    partition: int
    tenant: str
    identifier: str
    version: int
    updated_at: datetime
    aggregate: bytes


def object_row(current: ProcessingObject, partition: int) -> ObjectRow:
    """The row of an object."""
    return ObjectRow(
        UUID(current.object_id),
        partition,
        current.tenant,
        current.identifier,
        list(current.runs),
        list(current.tags),
        current.submitted_at,
        current.state.value,
        current.version,
        current.failure.code if current.failure else None,
        current.updated_at,
        current.finished_at,
        encode_aggregate(current),
    )


def content_row(current: StoredContent | PartitionRecord, partition: int) -> ContentRow:
    """The row of an identifier's content, or of a partition's record."""
    return ContentRow(
        UUID(current.object_id),
        partition,
        current.tenant,
        current.identifier,
        current.version,
        current.updated_at,
        encode_aggregate(current),
    )


def references_of(current: Aggregate) -> set[str]:
    """Digests of everything in S3 that the aggregate needs."""
    if isinstance(current, PartitionRecord):
        return set()
    if isinstance(current, StoredContent):
        return set() if current.content.inline is not None else {current.content.sha256}
    if current.state == "DELETED":
        return set()
    digests = {artifact.sha256 for run in current.runs.values() for artifact in run.artifacts}
    if current.content.inline is None:
        digests.add(current.content.sha256)
    return digests
