"""The laws of the event parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objproc_client.errors import ProtocolError
from objproc_client.sse import EVENT_BYTES_MAX, EventParser, ServerSentEvent

LINE_ENDS = st.sampled_from([["\n", "\r\n"], ["\r", "\r\n"]])  # CR, then LF, would be one end
TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))
EVENTS = st.lists(
    st.builds(
        ServerSentEvent,
        id=TEXT,
        event=TEXT.filter(bool),
        data=st.lists(TEXT, min_size=1).map("\n".join),
    )
)


def parse(*chunks: bytes) -> list[ServerSentEvent]:
    """Parse chunks one after the other."""
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[ServerSentEvent], bytes]:
    """Draw events and one of the ways to write them."""
    events = draw(EVENTS)
    lines: list[str] = []
    for event in events:
        fields = [f"id: {event.id}", f"event: {event.event}", ": heartbeat"]
        lines += draw(st.permutations(fields)) + [f"data: {line}" for line in event.data.split("\n")] + [""]
        lines += draw(st.sampled_from([[], [": heartbeat", ""], ["retry: 5", ""], ["unknown: field", ""]]))
    ends = st.sampled_from(draw(LINE_ENDS))
    return events, "".join(line + draw(ends) for line in lines).encode()


@given(streams())
def test_what_was_written_is_read_whatever_the_line_ends(stream: tuple[list[ServerSentEvent], bytes]) -> None:
    events, written = stream
    assert parse(written) == events


@given(st.binary() | streams().map(lambda stream: stream[1]), st.data())
def test_any_chunking_gives_the_same_events(written: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)))))
    chunks = [written[start:end] for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    assert parse(*chunks) == parse(written)


@given(st.lists(st.sampled_from([b"data: a", b"id: 1", b"\r", b"\n", b"\r\n", b":", b"event: e"])).map(b"".join))
def test_byte_by_byte_gives_the_same_events(written: bytes) -> None:
    assert parse(*(written[index : index + 1] for index in range(len(written)))) == parse(written)


@pytest.mark.parametrize(
    ("written", "data"),
    [
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data\n\n", [""]),
        (b"data\ndata\n\n", ["\n"]),
        (b"data: a: b\n\n", ["a: b"]),
        (b"event: nothing\n\n", []),
        (b": heartbeat\n\n", []),
        (b"data: unfinished\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        ("data: größer\n\n".encode(), ["größer"]),
        (b"data: a\r\rdata: b\r\n\r\n", ["a", "b"]),
    ],
)
def test_data_is_read_as_the_standard_says(written: bytes, data: list[str]) -> None:
    assert [event.data for event in parse(written)] == data


def test_an_id_stays_until_another_one_comes() -> None:
    events = parse(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n")
    assert [event.id for event in events] == ["1", "1", ""]


def test_an_id_with_a_null_is_ignored() -> None:
    assert [event.id for event in parse(b"id: 1\nid: 2\0\ndata: a\n\n")] == ["1"]


def test_an_event_without_a_type_is_a_message() -> None:
    assert [event.event for event in parse(b"event: a\ndata: 1\n\ndata: 2\n\n")] == ["a", "message"]


def test_the_pause_before_reconnecting_is_kept_when_it_is_a_number() -> None:
    parser = EventParser()
    parser.feed(b"retry: 1500\nretry: soon\n")
    assert parser.retry_ms == 1500


@pytest.mark.parametrize("chunk", [b"x" * 65536, b"data: " + b"x" * 65536 + b"\n"])
def test_an_endless_event_is_refused(chunk: bytes) -> None:
    with pytest.raises(ProtocolError, match="larger"):
        parse(*[chunk] * (EVENT_BYTES_MAX // 65536 + 1))
