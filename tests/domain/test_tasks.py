"""Tasks are derived from state alone."""

from __future__ import annotations

from datetime import timedelta

from given import (
    DIAMOND,
    NOON,
    OBJECT,
    TIME,
    Story,
    artifact,
    cancel,
    chain,
    content,
    dag,
    failed,
    lost,
    started,
    story_of,
    submission,
    succeeded,
)
from objproc.domain.content import PlannedOperation
from objproc.domain.retry import backoff
from objproc.domain.tasks import Task, TaskEntry, entry_of, outstanding, task_of, tasks_of, wake_at


def test_a_task_carries_all_that_its_attempt_needs() -> None:
    plan = (PlannedOperation(type="a", version="7", pool="p", deadline_ms=5, params={"k": 1}),)
    story = story_of(plan)
    assert task_of(story.object, story.run("a")) == Task(
        object_id=OBJECT,
        tenant="default",
        identifier="my-object",
        operation="a",
        attempt=1,
        version="7",
        params={"k": 1},
        deadline_ms=5,
        content=content(),
        inputs=(),
    )


def test_the_inputs_of_a_task_are_the_artifacts_of_all_its_ancestors_and_of_nobody_else() -> None:
    plan = dag({"a": (), "b": ("a",), "other": (), "c": ("b",)})
    story = story_of(plan, succeeded("other", 1, "z"), succeeded("a", 1, "x1", "x2"), succeeded("b", 1, "y"))
    names = [each.name for each in task_of(story.object, story.run("c")).inputs]
    assert names == ["x1", "x2", "y"]


def test_a_join_gets_the_artifacts_of_a_shared_ancestor_once() -> None:
    story = story_of(dag(DIAMOND), succeeded("split", 1, "s"), succeeded("right", 1, "r"), succeeded("left", 1, "l"))
    assert task_of(story.object, story.run("join")).inputs == (artifact("s"), artifact("l"), artifact("r"))


def test_an_entry_is_named_by_the_commit_that_queued_it_and_its_place_in_the_plan() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"))
    assert entry_of(story.object, story.run("right")) == TaskEntry(
        pool="default", entry_id="2-2", object_id=OBJECT, operation="right", attempt=1
    )


def test_a_takeover_makes_a_new_entry() -> None:
    story = story_of(chain("a"))
    before = entry_of(story.object, story.run("a"))
    story.when(lost("a"))
    after = entry_of(story.object, story.run("a"))
    assert (before.entry_id, after.entry_id, after.attempt) == ("1-0", "2-0", 2)


def test_the_tasks_of_a_decision_are_those_it_queued_in_the_order_of_the_plan() -> None:
    story = story_of(dag(DIAMOND))
    events = story.when(succeeded("split"))
    assert [task.operation for _, task in tasks_of(story.object, reversed(events))] == ["left", "right"]
    assert [entry.entry_id for entry, _ in tasks_of(story.object, events)] == ["2-1", "2-2"]


def test_a_decision_that_queues_nothing_has_no_tasks() -> None:
    story = story_of(chain("a"))
    assert list(tasks_of(story.object, story.when(started("a")))) == []


def test_a_decision_that_queues_one_operation_has_its_task() -> None:
    story = Story()
    events = story.when(submission(chain("a", "b")))
    assert [task.operation for _, task in tasks_of(story.object, events)] == ["a"]


def test_outstanding_is_what_stands_in_a_stream_or_is_with_a_worker() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"), started("left"), failed("right"))
    assert [entry.operation for entry in outstanding(story.object)] == ["left"]
    assert outstanding(story_of(chain("a"), succeeded("a")).object) == []


def test_the_object_wants_to_be_woken_for_its_earliest_retry() -> None:
    story = story_of(dag({"a": (), "b": ()}), failed("a"))
    story.later(timedelta(minutes=1))
    story.when(failed("b"))
    assert wake_at(story.object) == NOON + backoff(OBJECT, "a", 1)


def test_an_object_that_only_waits_for_results_needs_no_waking() -> None:
    assert wake_at(story_of(chain("a")).object) is None


def test_a_finished_object_needs_no_waking() -> None:
    story = story_of(chain("a"), not_before=NOON + timedelta(hours=1))
    story.when(cancel())
    assert wake_at(story.object) is None


def test_not_before_counts_until_something_was_queued() -> None:
    at = NOON + timedelta(hours=1)
    story = story_of(chain("a"), not_before=at)
    story.later(timedelta(hours=1))
    story.when(TIME, failed("a"))
    assert wake_at(story.object) == story.now + backoff(OBJECT, "a", 1)
