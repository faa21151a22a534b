"""What laws are tried on: any value of the wire's types, any plan, any history."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from given import (
    OBJECT,
    Story,
    cancel,
    content,
    dag,
    delete,
    failed,
    handed_back,
    lost,
    retry,
    started,
    stopped,
    submission,
    succeeded,
)
from objproc.domain.commands import Input, TimeReached
from objproc.domain.content import PlannedOperation

TIMES = st.datetimes(timezones=st.just(UTC))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=10),
    int: INTEGERS,
    float: FLOATS,
    bool: st.booleans(),
    datetime: TIMES,
    type(None): st.none(),
    Any: JSON,
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the wire: made from its annotations, so that a new field is tried from its first day."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return st.one_of(*map(values_of, arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is list:
        return st.lists(values_of(arguments[0]), max_size=3)
    if origin in {dict, Mapping}:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    assert dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct), hint
    return st.builds(hint, **{name: values_of(field) for name, field in get_type_hints(hint).items()})


# ---- histories ----


@st.composite
def plans(draw: st.DrawFn) -> tuple[PlannedOperation, ...]:
    """A DAG of up to six operations, parents first."""
    names = "abcdef"[: draw(st.integers(1, 6))]
    requires = {
        name: tuple(sorted(draw(st.sets(st.sampled_from(names[:place]), max_size=3)))) if place else ()
        for place, name in enumerate(names)
    }
    return dag(requires, attempts_max=draw(st.integers(1, 3)))


Move = tuple[int, int, int]
"""Which input, about which operation, about which attempt: an index each."""
MOVES = st.tuples(st.integers(0, 17), st.integers(0, 5), st.integers(0, 5))


def input_of(story: Story, move: Move) -> Input:
    """What comes next: mostly words on attempts that are under way, but also on others, commands, and time."""
    kind, place, age = move
    operation = list(story.object.runs)[place % len(story.object.runs)]
    attempt = max(0, story.run(operation).attempt + {4: -1, 5: 1}.get(age, 0))
    command_id = f"c{place % 3}"
    match kind:
        case 0 | 1 | 2 | 3:
            return succeeded(operation, attempt, f"{operation}-{attempt}")
        case 4:
            return started(operation, attempt)
        case 5 | 6:
            return failed(operation, attempt)
        case 7:
            return failed(operation, attempt, is_retryable=False)
        case 8:
            return stopped(operation, attempt)
        case 9:
            return handed_back(operation, attempt)
        case 10 | 11:
            return lost(operation, attempt)
        case 12:
            return cancel(command_id)
        case 13 | 14:
            return retry(command_id, content("new") if age == 0 else None)
        case 15:
            return delete(command_id, is_forced=age > 2)
    return TimeReached(object_id=OBJECT)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """An object with any past."""
    story = Story()
    waits = draw(st.booleans())
    story.when(submission(draw(plans()), not_before=story.now + timedelta(minutes=1) if waits else None))
    pauses_s = st.sampled_from([0, 0, 1, 90])
    for move, pause_s in draw(st.lists(st.tuples(MOVES, pauses_s), max_size=25)):
        story.when(input_of(story, move))
        story.later(timedelta(seconds=pause_s))
    return story
