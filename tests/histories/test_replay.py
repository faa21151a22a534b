"""Every history that was ever recorded folds to the state it was recorded with."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from histories.record import RECORDED
from objproc.domain.processing_object import Aggregate, Stamp, fold
from objproc.feed import fold_for_feed
from objproc.wire.codec import (
    COMMIT_VERSION,
    EVENT_TYPES,
    decode_commit,
    decode_content,
    decode_object,
    decode_record,
    encode_aggregate,
)
from objproc.wire.envelope import GENESIS, Commit

HISTORIES = sorted(RECORDED.glob("*.jsonl"), key=lambda path: path.name)


def commits_of(path: Path) -> list[Commit]:
    return [decode_commit(line) for line in path.read_bytes().splitlines()]


def decoded(body: bytes) -> Aggregate:
    marks = {b'"runs"': decode_object, b'"repairs"': decode_record}
    return next((decode for mark, decode in marks.items() if mark in body), decode_content)(body)


def final_of(path: Path) -> Aggregate:
    return decoded(path.with_suffix("").with_suffix(".final.json").read_bytes())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_folds_to_its_recorded_state(path: Path) -> None:
    current: Aggregate | None = None
    for commit in commits_of(path):
        current = fold(current, commit.object_id, commit.events, Stamp(commit.seq, commit.at))
    assert current == final_of(path)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_is_a_chain_without_gaps(path: Path) -> None:
    commits = commits_of(path)
    assert commits[0].prev == GENESIS
    assert commits[0].version_from == 1
    for before, after in itertools.pairwise(commits):
        assert (after.seq, after.prev, after.version_from) == (before.seq + 1, before.hash, before.version_to + 1)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_the_feed_of_a_recorded_history_ends_in_the_recorded_state(path: Path) -> None:
    current: Aggregate | None = None
    told = []
    for commit in commits_of(path):
        current, feed = fold_for_feed(current, commit)
        told += feed.events
    final = final_of(path)
    assert current == final
    if told:
        assert (told[-1].state, told[-1].version) == (getattr(final, "state", None), final.version)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_state_is_written_as_it_is_read(path: Path) -> None:
    final = final_of(path)
    read = decoded(encode_aggregate(final))
    assert read == final


def test_every_event_type_occurs_in_some_recorded_history() -> None:
    told = {type(event).__name__ for path in HISTORIES for commit in commits_of(path) for event in commit.events}
    assert told == set(EVENT_TYPES)
    assert COMMIT_VERSION == 1
