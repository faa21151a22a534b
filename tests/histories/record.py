"""Record histories as this version writes them: `cd tests && ../.venv/bin/python -m histories.record NAME…`.

A recorded history is never changed: it stands for logs that exist somewhere. New ones are added under new names.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from given import (
    DIAMOND,
    OBJECT,
    TIME,
    Story,
    cancel,
    chain,
    content,
    dag,
    delete,
    failed,
    handed_back,
    lost,
    retry,
    started,
    stopped,
    story_of,
    succeeded,
    vanished,
)
from objproc.domain.commands import RepairLog, StoreContent
from objproc.domain.ids import content_id, partition_record_id
from objproc.wire.codec import encode_aggregate, encode_commit
from objproc.wire.envelope import GENESIS, Origin

RECORDED = Path(__file__).parent / "recorded"


def completed_chain() -> Story:
    """Five operations, one after the other; one of them told when it started."""
    names = ("validate", "transform", "enrich", "analyze", "export")
    story = story_of(chain(*names), metadata={"owner": "me"}, tags=("a", "b"), priority=1)
    for name in names:
        story.later(timedelta(milliseconds=250))
        story.when(started(name)) if name == "enrich" else None
        story.when(succeeded(name, 1, f"{name}-out"))
    return story


def failed_and_retried() -> Story:
    """A retry by itself, a failure for good, a skipped join, a retry by command on another content, the end."""
    story = story_of(dag(DIAMOND, attempts_max=2), succeeded("split", 1, "s"), failed("left"))
    story.later(timedelta(minutes=2))
    story.when(TIME, failed("left", 2), succeeded("right"))
    story.when(cancel("too-late"), retry("again", content("better")))
    story.when(succeeded("split", 2), succeeded("left", 3), succeeded("left", 1), succeeded("right", 2))
    story.when(succeeded("join", 1))
    return story


def cancelled() -> Story:
    """A cancellation while one task runs, one is lost and one waits for its retry."""
    plan = dag({"a": (), "b": (), "c": (), "d": ("a", "b", "c")})
    story = story_of(plan, started("a"), handed_back("b"), failed("c"), cancel("stop"))
    story.later(timedelta(seconds=1))
    story.when(lost("b", 2), stopped("a"))
    return story


def deleted() -> Story:
    """A forced deletion of an active object; before it, one that was refused."""
    story = story_of(chain("a", "b"), succeeded("a", 1, "x"), started("b"), delete("no"))
    story.when(delete("yes", is_forced=True), stopped("b"))
    return story


def poisoned() -> Story:
    """A task that cost its workers their lives until it was given up; held back at first by `not_before`."""
    story = story_of(chain("a", "b"), not_before=Story().now + timedelta(hours=1))
    story.later(timedelta(hours=1))
    story.when(TIME, *(lost("a", attempt) for attempt in range(1, 6)))
    return story


def stored_content() -> Story:
    """Two uploads under one identifier."""
    story = Story()
    for text in ("one", "two"):
        story.when(
            StoreContent(
                object_id=content_id("default", "x"),
                tenant="default",
                identifier="x",
                content=content(text, is_upload=True),
            )
        )
    return story


def reissued() -> Story:
    """A task that was lost with its stream, and answered all the same."""
    story = story_of(chain("a"), started("a"))
    story.when(vanished("a"), succeeded("a", 1), succeeded("a", 2))
    return story


def repaired() -> Story:
    """Two repairs of a partition's log."""
    story = Story()
    for found_seq in (3, 40):
        story.when(
            RepairLog(
                object_id=partition_record_id(0),
                partition=0,
                found_seq=found_seq,
                restored_seq=found_seq + 2,
                commits_dropped=1,
                commands_resubmitted=1,
                tasks_reissued=2,
            )
        )
    return story


STORIES = {
    make.__name__: make
    for make in (
        completed_chain,
        failed_and_retried,
        cancelled,
        deleted,
        poisoned,
        stored_content,
        reissued,
        repaired,
    )
}


def lines_of(story: Story) -> list[bytes]:
    """The commits of a story, as partition 0 would hold them."""
    assert story.current is not None
    prev, version, bodies = GENESIS, 1, []
    for stamp, events in story.commits:
        body, prev = encode_commit(
            partition=0,
            seq=stamp.seq,
            prev=prev,
            object_id=story.current.object_id,
            version_from=version,
            origin=Origin(cause=f"cause-{stamp.seq}", correlation_id=OBJECT, actor="recorder"),
            at=stamp.at,
            events=events,
        )
        version += len(events)
        bodies.append(body)
    return bodies


def main() -> None:
    """Record the named histories."""
    for name in sys.argv[1:]:
        story = STORIES[name]()
        target = RECORDED / f"{name}.jsonl"
        if target.exists():
            sys.exit(f"{target.name} is recorded already, and a recorded history is never changed")
        assert story.current is not None
        target.write_bytes(b"\n".join([*lines_of(story), b""]))
        (RECORDED / f"{name}.final.json").write_bytes(encode_aggregate(story.current))


if __name__ == "__main__":
    main()
