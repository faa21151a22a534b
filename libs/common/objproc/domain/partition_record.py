"""PartitionRecord: what befell a partition's log itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from objproc.domain.events import LogRepaired
from objproc.domain.ids import SYSTEM_TENANT


@dataclass(slots=True, kw_only=True)
class PartitionRecord:
    """Kept in the very log it speaks of, like everything else."""

    object_id: str
    tenant: str
    identifier: str
    version: int = 0
    seq: int = 0
    repairs: int = 0
    updated_at: datetime


def repaired(
    before: PartitionRecord | None, object_id: str, event: LogRepaired, seq: int, at: datetime
) -> PartitionRecord:
    """The record after another repair."""
    return PartitionRecord(
        object_id=object_id,
        tenant=SYSTEM_TENANT,
        identifier=f"partition-{event.partition}",
        version=before.version + 1 if before else 1,
        seq=seq,
        repairs=before.repairs + 1 if before else 1,
        updated_at=at,
    )
