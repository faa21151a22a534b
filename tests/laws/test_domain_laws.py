"""What holds for every history, however odd."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from given import OBJECT, Story, cancel, failed, stopped, succeeded
from laws.strategies import MOVES, Move, input_of, stories
from objproc.domain.commands import Input, TimeReached
from objproc.domain.decide import decide
from objproc.domain.events import OperationQueued
from objproc.domain.processing_object import ProcessingObject, Stamp, evolve, fold
from objproc.domain.state_machine import (
    OPERATION_TERMINAL,
    PROCESS_TRANSITIONS,
    OperationState,
    ProcessState,
)
from objproc.domain.tasks import outstanding, tasks_of, wake_at
from objproc.streams.memory_server import parse_id

STEPS_MAX = 200


@given(stories(), MOVES)
def test_deciding_twice_is_deciding_once(story: Story, move: Move) -> None:
    message = input_of(story, move)
    story.when(message)
    assert story.when(message) == []


@given(stories(), st.lists(MOVES, max_size=8))
def test_a_report_that_comes_again_later_changes_no_operation(story: Story, moves: list[Move]) -> None:
    reports = []
    for move in moves:
        message = input_of(story, move)
        if story.when(message) and not hasattr(message, "command_id") and not isinstance(message, TimeReached):
            reports.append(message)
    before = copy.deepcopy(story.object.runs)
    for message in reports:
        story.when(message)
    assert story.object.runs == before


@given(stories())
def test_folding_the_events_is_the_state_however_they_are_cut(story: Story) -> None:
    at_once = one_by_one = None
    for stamp, events in story.commits:
        at_once = fold(at_once, OBJECT, events, stamp)
        for event in events:
            one_by_one = evolve(one_by_one, OBJECT, event, stamp)
    assert at_once == one_by_one == story.current
    assert story.object.version == sum(len(events) for _, events in story.commits)


@given(stories(), MOVES)
def test_deciding_and_evolving_never_change_their_input(story: Story, move: Move) -> None:
    before, kept = story.object, copy.deepcopy(story.object)
    stamp = Stamp(story.seq + 1, story.now)
    decision = decide(input_of(story, move), before, stamp)
    assert before == kept
    for event in decision.events if decision else ():
        evolve(before, OBJECT, event, stamp)
        break
    assert before == kept


@given(stories(), st.integers(0, 5), st.integers(0, 5), st.integers(0, 3), st.integers(0, 3))
def test_results_of_different_operations_commute(story: Story, one: int, other: int, first: int, second: int) -> None:
    entries = outstanding(story.object)
    if len(entries) < 2:
        return
    place = one % len(entries)
    left, right = entries[place], entries[(place + 1 + other % (len(entries) - 1)) % len(entries)]
    words = (word_on(left.operation, left.attempt, first), word_on(right.operation, right.attempt, second))
    assert outcome_of(story, words) == outcome_of(story, words[::-1])


def word_on(operation: str, attempt: int, kind: int) -> Input:
    """One of the words a worker may say in the end."""
    words = [
        succeeded(operation, attempt, "x"),
        failed(operation, attempt),
        failed(operation, attempt, is_retryable=False),
        stopped(operation, attempt),
    ]
    return words[kind]


def outcome_of(story: Story, messages: tuple[Input, ...]) -> Any:
    """Where the messages lead, but for the numbers of the commits."""
    branch = Story(story.current)
    branch.seq, branch.now = story.seq, story.now
    branch.when(*messages)
    current = branch.object
    runs = {
        name: (run.state, run.attempt, run.failures, run.artifacts, run.failure, run.retry_at)
        for name, run in current.runs.items()
    }
    return current.state, current.failure, current.version, runs


@given(stories())
def test_nothing_is_queued_before_its_parents_have_succeeded(story: Story) -> None:
    current = None
    for stamp, events in story.commits:
        for event in events:
            if isinstance(event, OperationQueued):
                assert isinstance(current, ProcessingObject)
                parents = current.runs[event.operation].planned.requires
                assert all(current.runs[name].state is OperationState.SUCCEEDED for name in parents)
            current = evolve(current, OBJECT, event, stamp)


@given(stories())
def test_an_object_only_moves_as_the_table_allows_and_attempts_never_go_back(story: Story) -> None:
    current = None
    for stamp, events in story.commits:
        for event in events:
            following = evolve(current, OBJECT, event, stamp)
            assert isinstance(following, ProcessingObject)
            if isinstance(current, ProcessingObject):
                assert following.state is current.state or following.state in PROCESS_TRANSITIONS[current.state]
                assert all(following.runs[name].attempt >= run.attempt for name, run in current.runs.items())
            current = following


@given(stories())
def test_a_finished_object_has_nothing_under_way_and_a_live_one_can_go_on(story: Story) -> None:
    current = story.object
    is_waiting = bool(outstanding(current)) or wake_at(current) is not None
    assert is_waiting is not current.is_terminal
    assert all(run.state in OPERATION_TERMINAL for run in current.runs.values()) or not current.is_terminal
    assert 0.0 <= current.percent <= 100.0


@given(stories())
def test_each_queueing_makes_one_task_whose_entry_id_is_above_all_before(story: Story) -> None:
    current, newest = None, (0, 0)
    for stamp, events in story.commits:
        current = fold(current, OBJECT, events, stamp)
        assert isinstance(current, ProcessingObject)
        tasks = list(tasks_of(current, events))
        queued = {event.operation: event.attempt for event in events if isinstance(event, OperationQueued)}
        assert {task.operation: task.attempt for _, task in tasks} == queued
        for entry, task in tasks:
            assert (entry.operation, entry.attempt) == (task.operation, task.attempt)
            assert parse_id(entry.entry_id) > newest
            newest = parse_id(entry.entry_id)


@given(stories())
def test_outstanding_tasks_are_those_that_were_made_last(story: Story) -> None:
    made: dict[str, str] = {}
    current = None
    for stamp, events in story.commits:
        current = fold(current, OBJECT, events, stamp)
        assert isinstance(current, ProcessingObject)
        made |= {entry.operation: entry.entry_id for entry, _ in tasks_of(current, events)}
    assert all(made[entry.operation] == entry.entry_id for entry in outstanding(story.object))


@given(stories())
def test_every_history_can_end(story: Story) -> None:
    for _ in range(STEPS_MAX):
        current = story.object
        if current.is_terminal:
            break
        entries = outstanding(current)
        if entries:
            entry = entries[0]
            word = stopped if current.is_cancelling else succeeded
            assert story.when(word(entry.operation, entry.attempt))
        else:
            at = wake_at(current)
            assert at is not None
            story.later(max(timedelta(0), at - story.now))
            assert story.when(TimeReached(object_id=OBJECT))
    assert story.object.is_terminal


@given(stories())
def test_every_live_object_can_be_cancelled(story: Story) -> None:
    if story.object.is_terminal:
        return
    story.when(cancel("the last word"))
    for entry in outstanding(story.object):
        story.when(stopped(entry.operation, entry.attempt))
    assert story.state in {ProcessState.CANCELLED, ProcessState.DELETED}
