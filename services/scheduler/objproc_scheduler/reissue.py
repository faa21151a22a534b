"""After a repair: every task that should be somewhere gets a new attempt, and the repair goes on record."""

from __future__ import annotations

from datetime import datetime

from objproc.domain.commands import Input, RepairLog, TaskLost
from objproc.domain.ids import partition_record_id
from objproc.domain.processing_object import ProcessingObject
from objproc.domain.tasks import outstanding
from objproc.wire.envelope import Origin
from objproc_scheduler.partition import Partition, Pass
from objproc_scheduler.repair import Repaired


def reissue(partition: Partition, repaired: Repaired | None, now: datetime) -> Pass:
    """The first batch after a repair; `repaired` is None where a scheduler died before this batch stood."""
    each = Pass(partition, now)
    tasks = [
        TaskLost(object_id=entry.object_id, operation=entry.operation, attempt=entry.attempt)
        for current in list(partition.live.values())
        if isinstance(current, ProcessingObject)
        for entry in outstanding(current)
    ]
    record = RepairLog(
        object_id=partition_record_id(partition.number),
        partition=partition.number,
        found_seq=repaired.found_seq if repaired else partition.head.seq,
        restored_seq=partition.head.seq,
        commits_dropped=repaired.commits_dropped if repaired else 0,
        commands_resubmitted=repaired.commands_resubmitted if repaired else 0,
        tasks_reissued=len(tasks),
    )
    each.take(record, own_origin(partition, record))
    for task in tasks:
        each.take(task, own_origin(partition, task))
    return each


def own_origin(partition: Partition, message: Input) -> Origin:
    """Origin of what the scheduler itself brings about."""
    current = partition.live.get(message.object_id)
    correlation_id = getattr(current, "correlation_id", message.object_id)
    cause = f"{type(message).__name__}:{message.object_id}:{current.version if current else 0}"
    return Origin(cause=cause, correlation_id=correlation_id, actor="scheduler")
