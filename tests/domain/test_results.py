"""What workers say, and what follows from it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from given import (
    BROKEN,
    DIAMOND,
    NOON,
    OBJECT,
    TIME,
    began,
    chain,
    dag,
    done,
    failed,
    queued,
    started,
    story_of,
    succeeded,
)
from objproc.domain.content import Failure
from objproc.domain.events import (
    ObjectCompleted,
    ObjectFailed,
    OperationFailed,
    OperationRetryScheduled,
    OperationSkipped,
    StaleResultRejected,
)
from objproc.domain.limits import RETRY_BASE_MS, RETRY_CAP_MS
from objproc.domain.retry import backoff
from objproc.domain.state_machine import OperationState, ProcessState
from objproc.domain.tasks import wake_at

LONG = timedelta(hours=1)


def test_a_chain_runs_to_its_end() -> None:
    story = story_of(chain("a", "b"))
    assert story.when(succeeded("a")) == [began("a"), done("a"), queued("b")]
    assert story.when(succeeded("b")) == [began("b"), done("b"), ObjectCompleted()]
    assert story.state is ProcessState.COMPLETED
    assert story.object.percent == 100.0
    assert story.object.finished_at == NOON


def test_a_start_puts_the_object_into_processing() -> None:
    story = story_of(chain("a"))
    assert story.when(started("a")) == [began("a")]
    assert (story.state, story.run("a").state) == (ProcessState.PROCESSING, OperationState.RUNNING)
    assert (story.run("a").worker, story.run("a").started_at) == ("worker-1", NOON)


def test_a_result_after_a_start_starts_nothing_again() -> None:
    story = story_of(chain("a"), started("a"))
    assert story.when(succeeded("a", 1, "x")) == [done("a", 1, "x"), ObjectCompleted()]


@pytest.mark.parametrize("attempt", [0, 2])
def test_a_start_of_another_attempt_changes_nothing(attempt: int) -> None:
    assert story_of(chain("a")).when(started("a", attempt)) == []


def test_a_repeated_start_changes_nothing() -> None:
    assert story_of(chain("a"), started("a")).when(started("a")) == []


@pytest.mark.parametrize("message", [started("z"), succeeded("z"), failed("z")])
def test_a_report_on_an_operation_outside_the_plan_changes_nothing(message: object) -> None:
    assert story_of(chain("a")).when(message) == []  # type: ignore[arg-type]


def test_a_repeated_result_changes_nothing() -> None:
    story = story_of(chain("a", "b"), succeeded("a"))
    assert story.when(succeeded("a")) == []
    assert story.when(failed("a")) == []


def test_a_result_of_an_attempt_that_was_never_made_changes_nothing() -> None:
    assert story_of(chain("a")).when(succeeded("a", 2)) == []


def test_a_result_of_an_older_attempt_changes_nothing() -> None:
    story = story_of(chain("a"), failed("a"))
    story.later(LONG)
    story.when(TIME)
    before = story.states
    assert story.when(succeeded("a", 1)) == [StaleResultRejected(operation="a", attempt=1, current_attempt=2)]
    assert story.states == before


def test_a_stale_result_is_recorded_once() -> None:
    story = story_of(chain("a"), failed("a"))
    story.later(LONG)
    story.when(TIME, succeeded("a", 1))
    assert story.when(succeeded("a", 1)) == []


def test_a_result_for_an_operation_not_yet_queued_changes_nothing() -> None:
    assert story_of(chain("a", "b")).when(succeeded("b", 0)) == []


# ---- failures ----


def test_a_retryable_failure_is_tried_again_later() -> None:
    story = story_of(chain("a"))
    retry_at = NOON + backoff(OBJECT, "a", 1)
    assert story.when(failed("a")) == [
        began("a"),
        OperationRetryScheduled(operation="a", attempt=1, failure=BROKEN, retry_at=retry_at),
    ]
    assert wake_at(story.object) == retry_at
    assert story.run("a").failures == 1


def test_a_retry_is_not_queued_before_its_time() -> None:
    story = story_of(chain("a"), failed("a"))
    assert story.when(TIME) == []


def test_a_retry_is_queued_at_its_time_under_the_next_attempt() -> None:
    story = story_of(chain("a"), failed("a"))
    story.later(backoff(OBJECT, "a", 1))
    assert story.when(TIME) == [queued("a", 2)]
    assert story.run("a").retry_at is None
    assert wake_at(story.object) is None


def test_the_last_attempt_fails_for_good() -> None:
    story = story_of(chain("a", attempts_max=2), failed("a"))
    story.later(LONG)
    story.when(TIME)
    assert story.when(failed("a", 2)) == [
        began("a", 2),
        OperationFailed(operation="a", attempt=2, failure=BROKEN),
        ObjectFailed(failure=BROKEN),
    ]
    assert (story.state, story.object.failure) == (ProcessState.FAILED, BROKEN)


def test_a_final_error_is_not_tried_again() -> None:
    story = story_of(chain("a"))
    assert story.when(failed("a", is_retryable=False))[1:] == [
        OperationFailed(operation="a", attempt=1, failure=BROKEN),
        ObjectFailed(failure=BROKEN),
    ]


def test_a_success_after_a_failure_forgets_the_failure() -> None:
    story = story_of(chain("a"), failed("a"))
    story.later(LONG)
    story.when(TIME, succeeded("a", 2))
    assert story.state is ProcessState.COMPLETED
    assert story.run("a").failure is None
    assert story.run("a").failures == 1


def test_a_failure_skips_all_that_depends_on_it() -> None:
    story = story_of(chain("a", "b", "c"))
    assert story.when(failed("a", is_retryable=False))[2:] == [
        OperationSkipped(operation="b", cause="a"),
        OperationSkipped(operation="c", cause="b"),
        ObjectFailed(failure=BROKEN),
    ]
    assert story.object.percent == 100.0


def test_an_object_fails_only_when_nothing_of_it_runs() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"), started("right"))
    events = story.when(failed("left", is_retryable=False))
    assert events[-1] == OperationSkipped(operation="join", cause="left")
    assert story.state is ProcessState.PROCESSING
    assert story.when(succeeded("right")) == [done("right"), ObjectFailed(failure=BROKEN)]


def test_a_join_is_skipped_once_its_first_unfinished_parent_is_known_to_fail_or_succeed() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"), failed("right", is_retryable=False))
    assert story.states["join"] is OperationState.PENDING
    assert story.when(succeeded("left"))[-2:] == [
        OperationSkipped(operation="join", cause="right"),
        ObjectFailed(failure=BROKEN),
    ]


def test_an_object_reports_the_failure_that_stands_first_in_the_plan() -> None:
    story = story_of(dag({"a": (), "b": ()}), failed("b", is_retryable=False))
    other = dataclasses.replace(
        failed("a", is_retryable=False), failure=Failure(code="first", message="", operation="a")
    )
    assert story.when(other)[-1] == ObjectFailed(failure=other.failure)


def test_a_branch_that_does_not_depend_on_the_failure_goes_on() -> None:
    story = story_of(dag({"a": (), "b": (), "c": ("b",)}), failed("a", is_retryable=False))
    assert story.when(succeeded("b"))[-1] == queued("c")
    assert story.when(succeeded("c"))[-1] == ObjectFailed(failure=BROKEN)


def test_a_wake_after_the_end_changes_nothing() -> None:
    assert story_of(chain("a"), succeeded("a")).when(TIME) == []


# ---- the pause before a retry ----


def test_the_pause_grows_and_is_capped() -> None:
    for failures in range(1, 200):
        ceiling_ms = min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** (failures - 1))
        pause_ms = backoff(OBJECT, "a", failures) / timedelta(milliseconds=1)
        assert ceiling_ms // 2 <= pause_ms <= ceiling_ms


def test_the_pause_is_the_same_on_every_replay_but_differs_between_objects() -> None:
    assert backoff(OBJECT, "a", 1) == backoff(OBJECT, "a", 1)
    assert len({backoff(f"{OBJECT}{n}", "a", 1) for n in range(50)}) > 20
