"""What the texts of options mean."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

import pytest

from objproc_client.command.values import json_value, merged, moment, names, path_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=1", (("a", "b"), 1)),
        ("a.b=true", (("a", "b"), True)),
        ("a.b=text", (("a", "b"), "text")),
        ('a.b="1"', (("a", "b"), "1")),
        ("a=b=c", (("a",), "b=c")),
        ("a=", (("a",), "")),
    ],
)
def test_a_value_is_json_or_text(text: str, value: Any) -> None:
    assert path_value(text) == value


@pytest.mark.parametrize("text", ["a.b", "=1", "a.=1", "a..b=1"])
def test_a_value_needs_a_name(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        path_value(text)


def test_values_are_put_at_their_paths_without_touching_the_whole() -> None:
    whole = {"a": {"x": 1}}
    parts = [(("a", "y"), 2), (("b", "c", "d"), 3)]
    assert merged(whole, parts) == {"a": {"x": 1, "y": 2}, "b": {"c": {"d": 3}}}
    assert whole == {"a": {"x": 1}}


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.b\.c: b is a value already"):
        merged({"a": {"b": 1}}, [(("a", "b", "c"), 2)])


def test_names_are_cut_at_commas() -> None:
    assert names(" a, b,") == ("a", "b")


def test_times_are_read() -> None:
    assert moment("2030-01-31T12:00:00Z") == datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(("read", "text"), [(names, ","), (json_value, "{"), (moment, "soon")])
def test_what_cannot_be_read_is_refused(read: Any, text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        read(text)
