"""Cancel, retry and delete in every state."""

from __future__ import annotations

from datetime import timedelta

import pytest

from given import (
    BROKEN,
    DIAMOND,
    NOON,
    TIME,
    WORKER,
    Story,
    cancel,
    chain,
    content,
    dag,
    delete,
    failed,
    handed_back,
    lost,
    queued,
    retry,
    started,
    stopped,
    story_of,
    submission,
    succeeded,
)
from objproc.domain.commands import Input
from objproc.domain.events import (
    CancelRequested,
    CommandRejected,
    ObjectCancelled,
    ObjectDeleted,
    ObjectRetried,
    OperationCancelled,
    OperationFailed,
    OperationSkipped,
    TaskReissued,
    TaskTakenOver,
)
from objproc.domain.limits import COMMANDS_REMEMBERED_MAX
from objproc.domain.state_machine import OperationState, ProcessState
from objproc.domain.tasks import wake_at

FATAL = failed("a", is_retryable=False)


def completed() -> Story:
    return story_of(chain("a"), succeeded("a"), metadata={"secret": 1}, tags=("t",))


def broken() -> Story:
    return story_of(chain("a"), FATAL)


def cancelled() -> Story:
    return story_of(chain("a"), cancel("cancel-0"), stopped("a"))


def deleted() -> Story:
    story = completed()
    story.when(delete("delete-0"))
    return story


# ---- cancel ----


def test_an_object_that_waits_for_its_time_is_cancelled_at_once() -> None:
    story = story_of(chain("a"), not_before=NOON + timedelta(hours=1))
    assert story.when(cancel()) == [
        CancelRequested(command_id="cancel-1"),
        OperationCancelled(operation="a", attempt=0),
        ObjectCancelled(),
    ]
    assert story.state is ProcessState.CANCELLED


def test_a_queued_task_ends_only_after_it_was_stopped() -> None:
    story = story_of(chain("a", "b"))
    assert story.when(cancel()) == [
        CancelRequested(command_id="cancel-1"),
        OperationCancelled(operation="b", attempt=0),
    ]
    assert story.when(stopped("a")) == [OperationCancelled(operation="a", attempt=1), ObjectCancelled()]


def test_a_running_task_ends_only_after_it_was_stopped() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"), started("left"), started("right"), cancel())
    assert story.state is ProcessState.PROCESSING
    assert story.when(stopped("left")) == [OperationCancelled(operation="left", attempt=1)]
    assert story.when(stopped("right"))[-1] == ObjectCancelled()
    assert story.object.is_cancelling is False


def test_a_task_that_waits_for_its_retry_is_cancelled_at_once() -> None:
    story = story_of(chain("a"), failed("a"))
    assert story.when(cancel())[1:] == [OperationCancelled(operation="a", attempt=1), ObjectCancelled()]
    assert wake_at(story.object) is None


def test_a_result_that_comes_before_the_stop_counts_but_nothing_follows_it() -> None:
    story = story_of(chain("a", "b"), started("a"), cancel())
    assert story.when(succeeded("a"))[-1] == ObjectCancelled()
    assert story.states == {"a": OperationState.SUCCEEDED, "b": OperationState.CANCELLED}


def test_a_failure_during_a_cancellation_is_not_tried_again() -> None:
    story = story_of(chain("a"), started("a"), cancel())
    assert story.when(failed("a")) == [
        OperationFailed(operation="a", attempt=1, failure=BROKEN),
        ObjectCancelled(),
    ]


def test_a_worker_lost_during_a_cancellation_has_stopped() -> None:
    story = story_of(chain("a"), started("a"), cancel())
    assert story.when(lost("a")) == [
        TaskTakenOver(operation="a", attempt=1, worker=WORKER),
        OperationCancelled(operation="a", attempt=1),
        ObjectCancelled(),
    ]


def test_a_task_handed_back_during_a_cancellation_has_stopped() -> None:
    story = story_of(chain("a"), cancel())
    assert story.when(handed_back("a"))[1:] == [OperationCancelled(operation="a", attempt=1), ObjectCancelled()]
    assert story.when(handed_back("a")) == []


def test_a_wake_during_a_cancellation_changes_nothing() -> None:
    story = story_of(dag({"a": (), "b": ()}), failed("a"), cancel())
    story.later(timedelta(hours=1))
    assert story.when(TIME) == []


def test_a_stop_whose_cancellation_was_lost_in_a_failover_is_followed_by_another_attempt() -> None:
    story = story_of(chain("a"), started("a"))
    assert story.when(stopped("a")) == [TaskReissued(operation="a", attempt=1), queued("a", 2)]
    assert story.when(stopped("a")) == []


@pytest.mark.parametrize("message", [stopped("z"), stopped("a", 2), stopped("b")])
def test_a_stop_of_what_is_with_no_worker_changes_nothing(message: Input) -> None:
    assert story_of(chain("a", "b"), cancel()).when(message) == []


@pytest.mark.parametrize("make", [completed, broken, cancelled, deleted])
def test_what_is_finished_cannot_be_cancelled(make: type[Story]) -> None:
    story = make()
    state = story.state
    assert story.when(cancel()) == [
        CommandRejected(
            command_id="cancel-1",
            command="CancelObject",
            code="object_finished",
            detail=f"the object is {state} already",
        )
    ]
    assert story.state is state


def test_a_second_cancellation_by_another_command_is_on_record() -> None:
    story = story_of(chain("a"), cancel("cancel-1"))
    assert story.when(cancel("cancel-2")) == [CancelRequested(command_id="cancel-2")]


# ---- retry ----


def test_a_retry_keeps_what_succeeded_and_resets_the_rest() -> None:
    story = story_of(chain("a", "b", "c"), succeeded("a", 1, "x"), failed("b", is_retryable=False), metadata={"k": "v"})
    assert story.when(retry()) == [ObjectRetried(command_id="retry-1", operations=("b", "c")), queued("b", 2)]
    assert story.run("a").artifacts[0].name == "x"
    assert (story.run("b").failures, story.run("b").failure, story.object.failure) == (0, None, None)
    assert (story.state, story.object.finished_at) == (ProcessState.QUEUED, None)


def test_a_retried_object_can_complete() -> None:
    story = story_of(chain("a", "b"), succeeded("a"), failed("b", is_retryable=False), retry(), succeeded("b", 2))
    assert story.state is ProcessState.COMPLETED


def test_a_retry_gives_all_attempts_and_takeovers_again() -> None:
    story = story_of(chain("a", attempts_max=2), lost("a"), failed("a", 2, is_retryable=False), retry())
    assert (story.run("a").failures, story.run("a").takeovers, story.run("a").attempt) == (0, 0, 3)
    assert story.when(failed("a", 3))[-1].__class__.__name__ == "OperationRetryScheduled"


def test_a_retry_runs_branches_again_that_were_skipped() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"), failed("left", is_retryable=False), succeeded("right"))
    assert story.when(retry()) == [ObjectRetried(command_id="retry-1", operations=("left", "join")), queued("left", 2)]


def test_a_retry_on_another_content_resets_everything() -> None:
    story = story_of(chain("a", "b"), succeeded("a", 1, "x"), failed("b", is_retryable=False))
    assert story.when(retry(on=content("new"))) == [
        ObjectRetried(command_id="retry-1", operations=("a", "b"), content=content("new")),
        queued("a", 2),
    ]
    assert story.run("a").artifacts == ()
    assert story.object.content == content("new")


def test_a_retry_on_the_same_content_is_a_plain_retry() -> None:
    story = story_of(chain("a", "b"), succeeded("a"), failed("b", is_retryable=False))
    assert story.when(retry(on=content()))[0] == ObjectRetried(command_id="retry-1", operations=("b",))


def test_a_result_from_before_the_retry_is_stale() -> None:
    story = broken()
    story.when(retry())
    assert type(story.when(succeeded("a", 1))[0]).__name__ == "StaleResultRejected"


@pytest.mark.parametrize("make", [lambda: story_of(chain("a")), completed, cancelled, deleted])
def test_only_what_failed_can_be_retried(make: type[Story]) -> None:
    story = make()
    (event,) = story.when(retry())
    assert isinstance(event, CommandRejected)
    assert (event.code, event.command) == ("object_not_failed", "RetryObject")
    assert event.detail == f"only a FAILED object can be retried; it is {story.state}"


# ---- delete ----


@pytest.mark.parametrize("make", [completed, broken, cancelled])
def test_what_is_finished_is_deleted_at_once(make: type[Story]) -> None:
    story = make()
    assert story.when(delete()) == [ObjectDeleted(command_id="delete-1")]
    assert story.state is ProcessState.DELETED


def test_deletion_leaves_the_audit_skeleton_only() -> None:
    story = story_of(chain("a"), succeeded("a", 1, "x"), metadata={"secret": 1}, tags=("t",))
    story.when(delete())
    current = story.object
    assert (current.metadata, current.tags, current.content.inline) == ({}, (), None)
    assert (current.content.sha256, current.content.size, current.identifier) == (
        content().sha256,
        content().size,
        "my-object",
    )
    assert (story.run("a").artifacts, story.run("a").summary) == ((), {})
    assert story.run("a").state is OperationState.SUCCEEDED


def test_a_deleted_object_cannot_be_deleted_again() -> None:
    assert deleted().when(delete("delete-2")) == []


def test_an_active_object_is_not_deleted_without_force() -> None:
    story = story_of(chain("a"))
    assert story.when(delete()) == [
        CommandRejected(
            command_id="delete-1",
            command="DeleteObject",
            code="object_active",
            detail="the object is QUEUED; cancel it first, or force",
        )
    ]


def test_a_forced_deletion_stops_the_object_first() -> None:
    story = story_of(chain("a"), started("a"))
    assert story.when(delete(is_forced=True)) == [CancelRequested(command_id="delete-1", then_delete=True)]
    assert story.when(stopped("a")) == [
        OperationCancelled(operation="a", attempt=1),
        ObjectCancelled(),
        ObjectDeleted(command_id="delete-1"),
    ]
    assert story.object.is_deleting is False


def test_a_cancellation_does_not_call_a_forced_deletion_off() -> None:
    story = story_of(chain("a"), delete(is_forced=True), cancel())
    assert isinstance(story.when(stopped("a"))[-1], ObjectDeleted)


def test_a_deletion_may_follow_a_cancellation_that_is_under_way() -> None:
    story = story_of(chain("a"), cancel(), delete(is_forced=True), stopped("a"))
    assert story.state is ProcessState.DELETED


@pytest.mark.parametrize("between", [cancel("cancel-1"), delete("delete-2"), retry("retry-1"), succeeded("a", 1)])
def test_a_deletion_names_the_command_that_asked_for_it(between: Input) -> None:
    story = story_of(chain("a"), lost("a"), delete("delete-1", is_forced=True), between)
    assert story.when(stopped("a", 2))[-1] == ObjectDeleted(command_id="delete-1")


# ---- repeats ----


@pytest.mark.parametrize("command", [cancel(), retry(), delete(), delete(is_forced=True)])
@pytest.mark.parametrize("make", [lambda: story_of(chain("a")), completed, broken, cancelled, deleted])
def test_a_repeated_command_yields_nothing(command: Input, make: type[Story]) -> None:
    story = make()
    story.when(command)
    assert story.when(command) == []


def test_only_the_newest_commands_are_remembered() -> None:
    story = completed()
    for number in range(COMMANDS_REMEMBERED_MAX + 5):
        story.when(cancel(f"cancel-{number}"))
    assert len(story.object.handled) == COMMANDS_REMEMBERED_MAX
    assert story.object.handled[-1] == f"cancel-{COMMANDS_REMEMBERED_MAX + 4}"


def test_a_skipped_operation_does_not_stop_a_cancellation() -> None:
    plan = dag({"a": (), "b": ("a",), "c": ()})
    story = story_of(plan, FATAL, cancel())
    assert story.run("b").state is OperationState.SKIPPED
    assert OperationSkipped(operation="b", cause="a") in [event for _, events in story.commits for event in events]
    assert story.when(stopped("c"))[-1] == ObjectCancelled()


def test_a_submission_of_a_deleted_object_yields_nothing() -> None:
    assert deleted().when(submission(chain("a"))) == []
