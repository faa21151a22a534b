"""The same content gives the same bytes: run again, with more threads, under another name, elsewhere."""

import hashlib
import random

from operations.running import csv_text, run


def digests(done):
    return {
        name: hashlib.sha256(artifact.path.read_bytes()).hexdigest()
        for result in done.results.values()
        for name, artifact in result.artifacts.items()
    }


def content():
    chance = random.Random(1)
    rows = [("id", "x", "y", "word", "day", "mail")]
    rows += [
        (
            i if i % 997 else "bad",
            repr(chance.gauss(0, 1e6)),
            "" if i % 7 == 0 else repr(chance.random()),
            chance.choice("abcdef"),
            f"2024-01-{chance.randint(1, 28):02d}",
            f"u{i % 50}@example.com",
        )
        for i in range(70_000)
    ]
    return csv_text(rows)


def test_a_second_run_on_four_threads_leaves_identical_artifacts(tmp_path):
    text = content()
    runs = []
    for folder, threads in (("one", 1), ("four", 4)):
        (tmp_path / folder).mkdir()
        runs.append(run(tmp_path / folder, text, until="export", threads=threads))
    first, second = runs
    assert digests(first) == digests(second)
    assert first.verdict["rows_rejected"] == 71


def test_no_artifact_knows_where_it_was_made(tmp_path):
    done = run(tmp_path, "a,b\n1,x\n2,y\n", until="export")
    for result in done.results.values():
        for artifact in result.artifacts.values():
            assert str(tmp_path).encode() not in artifact.path.read_bytes()
