"""What holds for everything that travels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from given import OBJECT
from laws.strategies import TIMES, stories, values_of
from objproc.domain.commands import Command, Report
from objproc.domain.events import Event
from objproc.domain.processing_object import ProcessingObject, StoredContent
from objproc.domain.tasks import Task
from objproc.feed import FeedCommit, RunningProgress, decode_feed, encode_feed, fold_for_feed
from objproc.wire import codec
from objproc.wire.envelope import GENESIS, Origin, WireError
from wire.samples import samples

ORIGINS = values_of(Origin)


def is_kept(written: bytes, read: Callable[[bytes], Any], meant: Any) -> None:
    """Reading gives what was written; writing is stable."""
    assert read(written) == meant


@pytest.mark.parametrize("kind", get_args(Command))
@given(st.data(), ORIGINS, TIMES)
def test_a_command_is_read_as_it_was_written(kind: Any, data: st.DataObject, origin: Origin, at: Any) -> None:
    command = data.draw(values_of(kind))
    is_kept(codec.encode_message(command, origin, at), codec.decode_command, (command, origin))


@pytest.mark.parametrize("kind", get_args(Report))
@given(st.data(), ORIGINS, TIMES)
def test_a_report_is_read_as_it_was_written(kind: Any, data: st.DataObject, origin: Origin, at: Any) -> None:
    report = data.draw(values_of(kind))
    is_kept(codec.encode_message(report, origin, at), codec.decode_report, (report, origin))


@given(values_of(Task), ORIGINS, TIMES)
def test_a_task_is_read_as_it_was_written(task: Task, origin: Origin, at: Any) -> None:
    is_kept(codec.encode_message(task, origin, at), codec.decode_task, (task, origin))


@pytest.mark.parametrize("kind", get_args(Event))
@given(st.data(), ORIGINS, TIMES, st.integers(0, 1023), st.integers(1, 2**53), st.integers(1, 2**31))
def test_a_commit_is_read_as_it_was_written(
    kind: Any, data: st.DataObject, origin: Origin, at: Any, partition: int, seq: int, version: int
) -> None:
    events = tuple(data.draw(st.lists(values_of(kind), min_size=1, max_size=3)))
    body, digest = codec.encode_commit(
        partition=partition,
        seq=seq,
        prev=GENESIS,
        object_id=OBJECT,
        version_from=version,
        origin=origin,
        at=at,
        events=events,
    )
    commit = codec.decode_commit(body)
    assert (commit.events, commit.origin, commit.at, commit.hash, commit.body) == (events, origin, at, digest, body)
    assert (commit.partition, commit.seq, commit.version_from) == (partition, seq, version)
    assert commit.version_to == version + len(events) - 1


@given(values_of(ProcessingObject))
def test_an_object_is_read_as_it_was_written(current: ProcessingObject) -> None:
    is_kept(codec.encode_aggregate(current), codec.decode_object, current)


@given(values_of(StoredContent))
def test_a_stored_content_is_read_as_it_was_written(current: StoredContent) -> None:
    is_kept(codec.encode_aggregate(current), codec.decode_content, current)


@given(values_of(FeedCommit | RunningProgress))
def test_a_feed_entry_is_read_as_it_was_written(item: FeedCommit | RunningProgress) -> None:
    is_kept(encode_feed(item), decode_feed, item)


@given(stories())
def test_the_log_of_any_history_is_a_chain_and_folds_to_the_same_object(story: Any) -> None:
    prev, version, bodies = GENESIS, 1, []
    for stamp, events in story.commits:
        body, prev = codec.encode_commit(
            partition=0,
            seq=stamp.seq,
            prev=prev,
            object_id=OBJECT,
            version_from=version,
            origin=Origin(cause="c", correlation_id=OBJECT, actor="a"),
            at=stamp.at,
            events=events,
        )
        version += len(events)
        bodies.append(body)
    current, known = None, GENESIS
    for body in bodies:
        commit = codec.decode_commit(body)
        assert commit.prev == known
        current, told = fold_for_feed(current, commit)
        assert [event.version for event in told.events] == list(range(commit.version_from, commit.version_to + 1))
        known = commit.hash
    assert current == story.current


DECODERS: list[Callable[[bytes], Any]] = [
    codec.decode_command,
    codec.decode_report,
    codec.decode_task,
    codec.decode_commit,
    codec.decode_object,
    codec.decode_content,
    decode_feed,
]
WRITTEN = [body for body, _, _ in samples().values()]


@given(
    st.sampled_from(DECODERS),
    st.binary(max_size=50)
    | st.tuples(st.sampled_from(WRITTEN), st.integers(0, 2000), st.binary(max_size=3), st.integers(0, 3)).map(
        lambda torn: torn[0][: torn[1]] + torn[2] + torn[0][torn[1] + torn[3] :]
    ),
)
def test_torn_bytes_are_read_or_refused_but_never_end_the_process(decode: Callable[[bytes], Any], body: bytes) -> None:
    try:
        decode(body)
    except WireError:
        return
