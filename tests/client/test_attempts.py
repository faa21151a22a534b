"""When a call is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objproc_client.attempts import Attempts, Repeat, Retries, retry_after_s
from objproc_client.errors import ProtocolError, UnreachableError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONNECT, READ = httpx.ConnectError("refused"), httpx.ReadError("")


def attempts(repeat: Repeat = Repeat.ALWAYS, **retries: float) -> Attempts:
    """Begin attempts without chance."""
    return Attempts(Retries(**retries, chance=lambda: 1.0), "http://server", repeat)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_every_pause_is_bounded(attempt: int, chance: float) -> None:
    retries = Retries(chance=lambda: chance)
    assert retries.pause_s / 2 <= retries.pause_after(attempt) <= retries.pause_s_max


def test_pauses_double() -> None:
    retries = Retries(pause_s=1.0, pause_s_max=5.0, chance=lambda: 1.0)
    assert [retries.pause_after(attempt) for attempt in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 5.0]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_transient_refusal_is_repeated_until_the_attempts_are_used_up(status: int) -> None:
    trying = attempts(attempts_max=3)
    pauses = [trying.answered(httpx.Response(status)) for _ in range(3)]
    assert pauses == [0.25, 0.5, None]


@pytest.mark.parametrize("status", [200, 202, 400, 404, 409, 422, 500])
def test_any_other_answer_stands(status: int) -> None:
    assert attempts().answered(httpx.Response(status)) is None


def test_the_server_s_pause_is_kept() -> None:
    assert attempts().answered(httpx.Response(429, headers={"Retry-After": "7"})) == 7.25


def test_a_pause_that_is_too_long_is_left_to_the_caller() -> None:
    assert attempts().answered(httpx.Response(429, headers={"Retry-After": "61"})) is None


def test_a_lost_connection_is_given_up_in_the_end() -> None:
    trying = attempts(attempts_max=2)
    trying.lost(READ)
    with pytest.raises(UnreachableError, match="http://server does not answer: ReadError"):
        trying.lost(READ)


def test_a_command_is_not_repeated_when_it_may_have_arrived() -> None:
    with pytest.raises(UnreachableError, match="may have arrived"):
        attempts(Repeat.UNTOUCHED).lost(READ)


@pytest.mark.parametrize("repeat", list(Repeat))
def test_what_was_never_sent_is_repeated(repeat: Repeat) -> None:
    assert attempts(repeat).lost(CONNECT) == 0.25


@pytest.mark.parametrize(("repeat", "is_repeated"), [(Repeat.UNTOUCHED, True), (Repeat.UNSENT, False)])
def test_a_refusal_is_repeated_only_when_the_bytes_can_be_had_again(repeat: Repeat, is_repeated: bool) -> None:
    assert (attempts(repeat).answered(httpx.Response(503)) is not None) == is_repeated


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_s_silence_does_not_repeat_a_command(status: int) -> None:
    assert attempts(Repeat.UNTOUCHED).answered(httpx.Response(status)) is None


def test_an_answer_that_cannot_be_decoded_is_not_repeated() -> None:
    with pytest.raises(ProtocolError):
        attempts().lost(httpx.DecodingError("no gzip"))


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        (None, 0.0),
        ("3", 3.0),
        (" 3 ", 3.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("²", 0.0),
        (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
        (format_datetime(NOW - timedelta(seconds=9), usegmt=True), 0.0),
        ("Fri, 02 Jan 2026 03:04:06 -0000", 1.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str | None, expected_s: float) -> None:
    assert retry_after_s(value, NOW) == expected_s
