"""The transition tables, pair by pair, against the diagrams of the architecture."""

from __future__ import annotations

import itertools

import pytest

from given import NOON, OBJECT, Story, chain, queued, story_of, submission, succeeded
from objproc.domain.decide import Draft, decide, obey
from objproc.domain.events import ObjectCompleted, ObjectSubmitted
from objproc.domain.processing_object import Stamp, apply_to_object, apply_to_operation, evolve, fold
from objproc.domain.state_machine import (
    OPERATION_TERMINAL,
    OPERATION_WITH_WORKER,
    TERMINAL,
    InvalidTransitionError,
    OperationState,
    ProcessState,
    TransitionCallbacks,
    operation_state,
    process_state,
)

OBJECTS = """
PENDING    -> QUEUED CANCELLED
QUEUED     -> PROCESSING CANCELLED
PROCESSING -> COMPLETED FAILED CANCELLED
COMPLETED  -> DELETED
FAILED     -> QUEUED DELETED
CANCELLED  -> DELETED
DELETED    ->
"""

OPERATIONS = """
PENDING   -> QUEUED CANCELLED SKIPPED
QUEUED    -> QUEUED RUNNING FAILED CANCELLED
RUNNING   -> QUEUED RETRYING SUCCEEDED FAILED CANCELLED
RETRYING  -> QUEUED CANCELLED
SUCCEEDED -> PENDING
FAILED    -> PENDING
CANCELLED -> PENDING
SKIPPED   -> PENDING
"""
"""PENDING after an end: a retry begins anew. QUEUED to QUEUED, or to FAILED: taken over unstarted, or poison."""


def allowed(table: str) -> set[tuple[str, str]]:
    pairs = set()
    for line in table.strip().splitlines():
        before, _, after = line.partition("->")
        pairs |= {(before.strip(), name) for name in after.split()}
    return pairs


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ProcessState, repeat=2)))
def test_an_object_goes_where_the_diagram_leads_and_nowhere_else(before: ProcessState, after: ProcessState) -> None:
    if (before.value, after.value) in allowed(OBJECTS):
        assert process_state(before, after) is after
    else:
        with pytest.raises(InvalidTransitionError, match=f"cannot go from {before} to {after}"):
            process_state(before, after)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(OperationState, repeat=2)))
def test_an_operation_goes_where_the_diagram_leads_and_nowhere_else(
    before: OperationState, after: OperationState
) -> None:
    if (before.value, after.value) in allowed(OPERATIONS):
        assert operation_state(before, after) is after
    else:
        with pytest.raises(InvalidTransitionError, match=f"cannot go from {before} to {after}"):
            operation_state(before, after)


def test_every_state_is_terminal_or_active() -> None:
    assert set(ProcessState) - TERMINAL == {ProcessState.PENDING, ProcessState.QUEUED, ProcessState.PROCESSING}
    active = {OperationState.PENDING, OperationState.RETRYING} | OPERATION_WITH_WORKER
    assert set(OperationState) - OPERATION_TERMINAL == active


# ---- histories that cannot be ----


def stamp() -> Stamp:
    return Stamp(9, NOON)


def test_a_second_submission_in_a_history_is_refused() -> None:
    story = story_of(chain("a"))
    event = story.commits[0][1][0]
    assert isinstance(event, ObjectSubmitted)
    with pytest.raises(InvalidTransitionError, match="submitted twice"):
        evolve(story.current, OBJECT, event, stamp())


def test_a_fact_about_an_object_that_was_never_submitted_is_refused() -> None:
    with pytest.raises(InvalidTransitionError, match="never submitted"):
        evolve(None, OBJECT, queued("a"), stamp())


def test_a_fact_that_the_table_forbids_is_refused() -> None:
    with pytest.raises(InvalidTransitionError):
        evolve(story_of(chain("a")).current, OBJECT, ObjectCompleted(), stamp())


def test_a_commit_without_events_is_refused() -> None:
    with pytest.raises(InvalidTransitionError, match="without events"):
        fold(None, OBJECT, (), stamp())


def test_folding_no_events_onto_an_object_leaves_it() -> None:
    current = story_of(chain("a")).current
    assert fold(current, OBJECT, (), stamp()) == current


def test_what_is_no_input_and_no_event_is_a_bug_and_never_passed_over() -> None:
    draft = Draft(story_of(chain("a")).object, stamp())
    with pytest.raises(AssertionError, match="unreachable"):
        decide(object(), draft.object, stamp())  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="unreachable"):
        obey(draft, object())  # type: ignore[arg-type]
    for put in (apply_to_operation, apply_to_object):
        with pytest.raises(AssertionError, match="unreachable"):
            put(draft.object, object(), stamp())  # type: ignore[arg-type]


# ---- callbacks ----


def test_a_watcher_hears_each_transition() -> None:
    callbacks = TransitionCallbacks()
    heard = []

    @callbacks.register
    def hear(object_id: str, before: ProcessState, after: ProcessState) -> None:
        heard.append((object_id, before, after))

    callbacks.notify(OBJECT, ProcessState.QUEUED, ProcessState.PROCESSING)
    assert heard == [(OBJECT, ProcessState.QUEUED, ProcessState.PROCESSING)]


def test_a_watcher_hears_nothing_where_nothing_changed() -> None:
    callbacks = TransitionCallbacks()
    callbacks.register(lambda *_: pytest.fail("nothing changed"))
    callbacks.notify(OBJECT, ProcessState.QUEUED, ProcessState.QUEUED)


def test_versions_count_events_without_a_gap() -> None:
    story = Story()
    count = sum(len(story.when(message)) for message in (submission(chain("a")), succeeded("a")))
    assert story.object.version == count
