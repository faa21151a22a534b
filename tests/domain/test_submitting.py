"""What a new object brings about."""

from __future__ import annotations

from datetime import timedelta

from given import DIAMOND, NOON, OBJECT, TIME, Story, chain, content, dag, queued, story_of, submission, succeeded
from objproc.domain.commands import StoreContent
from objproc.domain.events import ContentStored, ObjectSubmitted
from objproc.domain.processing_object import StoredContent
from objproc.domain.state_machine import OperationState, ProcessState
from objproc.domain.tasks import wake_at

ONE_HOUR = timedelta(hours=1)


def test_a_submission_queues_the_roots_only() -> None:
    plan = dag({"a": (), "b": (), "c": ("a", "b")})
    submitted, *rest = Story().when(submission(plan))
    assert isinstance(submitted, ObjectSubmitted)
    assert rest == [queued("a"), queued("b")]


def test_a_submission_records_the_whole_request() -> None:
    command = submission(
        chain("a"), metadata={"k": [1]}, tags=("t",), priority=3, not_before=NOON, traceparent="00-ab-cd-01"
    )
    (event, *_) = Story().when(command)
    assert event == ObjectSubmitted(
        tenant="default",
        identifier="my-object",
        plan=command.plan,
        content=content(),
        fingerprint="f",
        correlation_id=OBJECT,
        traceparent="00-ab-cd-01",
        metadata={"k": [1]},
        tags=("t",),
        priority=3,
        not_before=NOON,
    )


def test_a_submitted_object_is_queued_at_version_one_and_more() -> None:
    story = story_of(chain("a", "b"))
    assert (story.state, story.object.version, story.object.seq) == (ProcessState.QUEUED, 2, 1)
    assert story.object.submitted_at == story.object.updated_at == NOON
    assert story.object.percent == 0.0


def test_a_repeated_submission_yields_nothing() -> None:
    story = story_of(chain("a"))
    assert story.when(submission(chain("a"))) == []


def test_another_submission_under_the_same_id_yields_nothing() -> None:
    story = story_of(chain("a"))
    assert story.when(submission(chain("b"), identifier="other")) == []


def test_nothing_is_queued_before_not_before() -> None:
    story = Story()
    (only,) = story.when(submission(chain("a"), not_before=NOON + ONE_HOUR))
    assert isinstance(only, ObjectSubmitted)
    assert wake_at(story.object) == NOON + ONE_HOUR


def test_a_wake_before_not_before_changes_nothing() -> None:
    story = story_of(chain("a"), not_before=NOON + ONE_HOUR)
    story.later(ONE_HOUR - timedelta(microseconds=1))
    assert story.when(TIME) == []


def test_the_roots_are_queued_at_not_before() -> None:
    story = story_of(chain("a", "b"), not_before=NOON + ONE_HOUR)
    story.later(ONE_HOUR)
    assert story.when(TIME) == [queued("a")]
    assert wake_at(story.object) is None


def test_a_not_before_in_the_past_holds_nothing_back() -> None:
    story = story_of(chain("a"), not_before=NOON - ONE_HOUR)
    assert story.states == {"a": OperationState.QUEUED}


def test_a_wake_without_reason_changes_nothing() -> None:
    assert story_of(chain("a")).when(TIME) == []


def test_a_join_is_queued_once_by_its_last_parent() -> None:
    story = story_of(dag(DIAMOND), succeeded("split"))
    assert story.states["join"] is OperationState.PENDING
    assert queued("join") not in story.when(succeeded("right"))
    assert story.when(succeeded("left"))[-1] == queued("join")


def test_a_fan_out_queues_all_children_at_once() -> None:
    story = story_of(dag(DIAMOND))
    assert story.when(succeeded("split"))[-2:] == [queued("left"), queued("right")]


def test_an_input_for_an_unknown_object_yields_nothing() -> None:
    assert Story().when(succeeded("a")) == []
    assert Story().when(TIME) == []


# ---- contents ----

STORE = StoreContent(object_id=OBJECT, tenant="default", identifier="x", content=content())


def test_storing_content_is_recorded() -> None:
    story = Story()
    assert story.when(STORE) == [ContentStored(tenant="default", identifier="x", content=content())]
    assert story.current == StoredContent(
        object_id=OBJECT, tenant="default", identifier="x", content=content(), version=1, seq=1, updated_at=NOON
    )


def test_storing_the_same_content_again_yields_nothing() -> None:
    story = Story()
    story.when(STORE)
    assert story.when(STORE) == []


def test_storing_another_content_replaces_it() -> None:
    story = Story()
    other = StoreContent(object_id=OBJECT, tenant="default", identifier="x", content=content("new"))
    story.when(STORE, other)
    assert isinstance(story.current, StoredContent)
    assert (story.current.content, story.current.version) == (content("new"), 2)


def test_an_object_command_for_a_stored_content_yields_nothing() -> None:
    story = Story()
    story.when(STORE)
    assert story.when(succeeded("a")) == []
    assert story.when(submission(chain("a"))) == []
