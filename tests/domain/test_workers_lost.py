"""Takeover, hand-back and poison."""

from __future__ import annotations

import pytest

from given import WORKER, chain, handed_back, lost, queued, started, story_of, succeeded
from objproc.domain.content import Failure
from objproc.domain.events import ObjectFailed, OperationFailed, StaleResultRejected, TaskHandedBack, TaskTakenOver
from objproc.domain.limits import TAKEOVERS_MAX
from objproc.domain.state_machine import OperationState, ProcessState


@pytest.mark.parametrize("before", [(), (started("a"),)])
def test_a_lost_worker_voids_the_attempt_and_the_next_one_is_queued(before: tuple[object, ...]) -> None:
    story = story_of(chain("a"), *before)  # type: ignore[arg-type]
    assert story.when(lost("a")) == [TaskTakenOver(operation="a", attempt=1, worker=WORKER), queued("a", 2)]
    assert (story.run("a").takeovers, story.run("a").failures) == (1, 0)
    assert (story.run("a").state, story.run("a").worker) == (OperationState.QUEUED, None)


def test_a_takeover_means_that_processing_has_begun() -> None:
    story = story_of(chain("a"), lost("a"))
    assert story.state is ProcessState.PROCESSING


def test_a_loss_is_counted_once() -> None:
    assert story_of(chain("a"), lost("a")).when(lost("a")) == []


def test_the_loss_of_a_worker_whose_result_was_in_time_changes_nothing() -> None:
    assert story_of(chain("a", "b"), succeeded("a")).when(lost("a")) == []


def test_the_late_result_of_a_lost_worker_is_rejected() -> None:
    story = story_of(chain("a"), lost("a"))
    assert story.when(succeeded("a", 1)) == [StaleResultRejected(operation="a", attempt=1, current_attempt=2)]


def test_a_loss_of_an_unknown_operation_changes_nothing() -> None:
    assert story_of(chain("a")).when(lost("z")) == []


def test_a_task_that_costs_too_many_workers_is_poison() -> None:
    story = story_of(chain("a"))
    for attempt in range(1, TAKEOVERS_MAX):
        assert story.when(lost("a", attempt))[-1] == queued("a", attempt + 1)
    events = story.when(lost("a", TAKEOVERS_MAX))
    failure = Failure(
        code="poison", message=f"{TAKEOVERS_MAX} workers were lost while they ran this operation", operation="a"
    )
    assert events[1:] == [
        OperationFailed(operation="a", attempt=TAKEOVERS_MAX, failure=failure),
        ObjectFailed(failure=failure),
    ]


def test_a_task_handed_back_is_queued_again_and_counts_as_no_failure() -> None:
    story = story_of(chain("a"), started("a"))
    assert story.when(handed_back("a")) == [TaskHandedBack(operation="a", attempt=1, worker=WORKER), queued("a", 2)]
    assert (story.run("a").failures, story.run("a").takeovers) == (0, 0)


def test_handing_back_may_go_on_for_ever() -> None:
    story = story_of(chain("a", attempts_max=1))
    for attempt in range(1, 3 * TAKEOVERS_MAX):
        assert story.when(handed_back("a", attempt))[-1] == queued("a", attempt + 1)
    assert story.state is ProcessState.PROCESSING


def test_a_hand_back_of_an_older_attempt_changes_nothing() -> None:
    assert story_of(chain("a"), handed_back("a")).when(handed_back("a")) == []
