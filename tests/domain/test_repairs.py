"""What follows when the task streams, or the log itself, went back."""

from __future__ import annotations

import pytest

from given import NOON, cancel, chain, failed, queued, started, story_of, succeeded, vanished
from objproc.domain.commands import RepairLog
from objproc.domain.decide import decide
from objproc.domain.events import (
    LogRepaired,
    ObjectCancelled,
    OperationCancelled,
    StaleResultRejected,
    TaskReissued,
)
from objproc.domain.ids import SYSTEM_TENANT, partition_record_id
from objproc.domain.partition_record import PartitionRecord
from objproc.domain.processing_object import Stamp
from objproc.domain.state_machine import ProcessState


@pytest.mark.parametrize("before", [(), (started("a"),)])
def test_a_lost_task_gets_a_new_attempt_which_counts_as_no_failure(before: tuple[object, ...]) -> None:
    story = story_of(chain("a"), *before)  # type: ignore[arg-type]
    assert story.when(vanished("a")) == [TaskReissued(operation="a", attempt=1), queued("a", 2)]
    assert (story.run("a").failures, story.run("a").takeovers) == (0, 0)
    assert story.state is ProcessState.PROCESSING


def test_the_result_of_a_lost_task_is_stale() -> None:
    story = story_of(chain("a"), vanished("a"))
    assert story.when(succeeded("a", 1)) == [StaleResultRejected(operation="a", attempt=1, current_attempt=2)]


@pytest.mark.parametrize("missing", [vanished("a"), vanished("b"), vanished("nonsense"), vanished("b", 7)])
def test_what_is_not_with_a_worker_cannot_be_lost(missing: object) -> None:
    story = story_of(chain("a", "b"), succeeded("a"), failed("b"))
    assert story.when(missing) == []  # type: ignore[arg-type]


def test_the_lost_task_of_an_object_being_cancelled_is_its_end() -> None:
    story = story_of(chain("a"), started("a"), cancel("stop"))
    assert story.when(vanished("a")) == [
        TaskReissued(operation="a", attempt=1),
        OperationCancelled(operation="a", attempt=1),
        ObjectCancelled(),
    ]


def test_repairs_are_counted_on_the_record_of_their_partition() -> None:
    counts = {"commits_dropped": 1, "commands_resubmitted": 2, "tasks_reissued": 3}
    message = RepairLog(object_id=partition_record_id(5), partition=5, found_seq=7, restored_seq=9, **counts)
    current = None
    for number in (1, 2):
        decision = decide(message, current, Stamp(10 + number, NOON))
        assert decision is not None
        assert decision.events == (LogRepaired(partition=5, found_seq=7, restored_seq=9, **counts),)
        current = decision.after
        assert current == PartitionRecord(
            object_id=message.object_id,
            tenant=SYSTEM_TENANT,
            identifier="partition-5",
            version=number,
            seq=10 + number,
            repairs=number,
            updated_at=NOON,
        )
