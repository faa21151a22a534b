"""What was ever written stays readable, and is written the same: golden files pin the encoding byte for byte."""

from __future__ import annotations

import pytest

from objproc.wire.codec import COMMAND_TYPES, EVENT_TYPES, REPORT_TYPES
from wire.samples import GOLDEN, samples

SAMPLES = samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_written_now_is_the_golden_file_byte_for_byte(name: str) -> None:
    body, _, _ = SAMPLES[name]
    assert body == (GOLDEN / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_golden_file_reads_as_what_was_meant(name: str) -> None:
    _, read, meant = SAMPLES[name]
    assert read((GOLDEN / f"{name}.json").read_bytes()) == meant


def test_every_type_that_travels_has_a_golden_file_and_no_file_is_without_a_type() -> None:
    travelling = {
        *(f"command-{name}" for name in COMMAND_TYPES),
        *(f"report-{name}" for name in REPORT_TYPES),
        *(f"event-{name}" for name in EVENT_TYPES),
    }
    aggregates = {"aggregate-object", "aggregate-content", "aggregate-record"}
    others = {"task", "commit", "feed-commit", "feed-progress"} | aggregates
    assert {path.stem for path in GOLDEN.iterdir()} == travelling | others
