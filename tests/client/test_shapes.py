"""Answers are read strictly where they are known, and tolerantly where they are new."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from objproc_client import Fault, ObjectDetails, OperationProgress, ProtocolError, Submission

LEAST = {"object_id": "o", "identifier": "i", "state": "SLEEPING"}


def test_unknown_fields_and_states_are_kept() -> None:
    found = ObjectDetails.of(LEAST | {"novel": 1})
    assert (found.state, found.is_over, found.raw["novel"]) == ("SLEEPING", False, 1)


def test_nested_answers_times_and_numbers_are_typed() -> None:
    operation = {"operation": "validate", "progress": 50, "started_at": "2026-01-02T03:04:05.5Z", "error": None}
    found = ObjectDetails.of(LEAST | {"operations": [operation], "artifacts": [{"name": "a", "size": 3}]})
    (read,) = found.operations
    assert (read.progress, read.started_at) == (50.0, datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC))
    assert found.artifacts[0].size == 3


def test_a_plan_of_names_is_read_like_one_of_operations() -> None:
    assert Submission.of(LEAST | {"operations": ["a", {"operation": "b"}]}).plan == ("a", "b")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("broken", "broken"),
        ({"code": "timeout", "detail": "after 3 s"}, "timeout: after 3 s"),
        ({"code": "timeout", "message": "after 3 s"}, "timeout: after 3 s"),
        ({}, "no reason given"),
    ],
)
def test_a_fault_is_said_in_one_line_however_it_is_written(raw: object, text: str) -> None:
    assert str(Fault.of(raw)) == text


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ([], "ObjectDetails is no JSON object"),
        ({"object_id": "o", "identifier": "i"}, "no 'state'"),
        (LEAST | {"state": 7}, "ObjectDetails.state is int"),
        (LEAST | {"operations": [7]}, r"operations\[0\]"),
        (LEAST | {"operations": {}}, "operations is dict"),
        (LEAST | {"submitted_at": "yesterday"}, "submitted_at is no RFC 3339 time"),
    ],
)
def test_what_does_not_fit_is_named(raw: object, where: str) -> None:
    with pytest.raises(ProtocolError, match=where):
        ObjectDetails.of(raw)


def test_equality_is_of_what_is_known() -> None:
    assert OperationProgress.of("a") == OperationProgress.of({"operation": "a", "novel": 1})
