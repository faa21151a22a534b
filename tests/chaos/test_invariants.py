"""The checker finds what is planted; on what the projector itself wrote, it finds nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chaos.findings import Findings
from chaos.invariants import verify
from chaos.journal import Acknowledged, Journal, Order, Sighting
from given import OBJECT, Story, chain, content, started, submission
from objproc.domain.commands import TaskSucceeded
from objproc.domain.content import Artifact
from objproc.domain.ids import partition_of
from objproc.settings import Settings
from objproc.store.pool import Pool
from objproc.store.projection import Checkpoint, PostgresProjection
from objproc.store.s3 import Store, key_of
from objproc.streams import keys
from objproc.streams.connection import Client
from objproc.wire.codec import decode_commit, encode_commit
from objproc.wire.envelope import GENESIS, Commit, Origin
from objproc_projector.folding import Fold

PARTITION = partition_of(OBJECT, 8)
TEXT = b"the artifact of the checker's own test"
DIGEST = hashlib.sha256(TEXT).hexdigest()
KEY = key_of("default", DIGEST)


@dataclass(kw_only=True)
class Scene:
    """One completed object in PostgreSQL, Redis and S3, and a client that saw all of it."""

    env: dict[str, str]
    pool: Pool
    redis: Client
    store: Store
    journal: Journal

    async def findings(self) -> Findings:
        """What the checker says."""
        return (await verify(self.env, self.journal)).findings


def history() -> list[Commit]:
    """The log of the object: two operations, the second of which leaves an artifact."""
    story = Story()
    story.when(submission(chain("first", "second"), content=content()))
    artifact = Artifact(name="text", media_type="text/plain", size=len(TEXT), sha256=DIGEST)
    for operation, artifacts in (("first", ()), ("second", (artifact,))):
        message = started(operation)
        story.when(message)
        done = TaskSucceeded(
            object_id=OBJECT,
            operation=operation,
            attempt=1,
            worker=message.worker,
            started_at=message.at,
            artifacts=artifacts,
        )
        story.when(done)
    commits, prev, version = [], GENESIS, 1
    for seq, (stamp, events) in enumerate(story.commits, 1):
        origin = Origin(cause=f"cause-{seq}", correlation_id=OBJECT, actor="test")
        body, prev = encode_commit(
            partition=PARTITION,
            seq=seq,
            prev=prev,
            object_id=OBJECT,
            version_from=version,
            origin=origin,
            at=stamp.at,
            events=events,
        )
        version += len(events)
        commits.append(decode_commit(body))
    return commits


def told(commits: list[Commit]) -> Journal:
    """The journal of a client that submitted the object under a key and watched it to its end."""
    names = [type(event).__name__ for commit in commits for event in commit.events]
    journal = Journal(keys={"key": [OBJECT, OBJECT]})
    journal.objects[OBJECT] = Acknowledged(object_id=OBJECT, kind="test", sent_at=0, acknowledged_at=0, key="key")
    journal.sightings.append(Sighting(object_id=OBJECT, events=list(enumerate(names, 1)), is_over=True))
    return journal


@pytest.fixture
async def scene(servers: dict[str, str], settings: Settings, pool: Pool, redis: Client, store: Store) -> Scene:
    commits = history()
    fold = Fold({})
    for commit in commits:
        fold.add(commit)
    projection = fold.projection()
    end = Checkpoint(commits[-1].seq, commits[-1].hash)
    projection.moves = {PARTITION: (Checkpoint(0, GENESIS), end)}
    await PostgresProjection(pool).write(projection)
    for commit in commits:
        await redis.xadd(keys.events(PARTITION), {keys.BODY: commit.body}, id=f"{commit.seq}-0")
    await redis.hset(keys.meta(PARTITION), mapping={"seq": end.seq, "hash": end.hash, "projected": end.seq})
    await store.put(KEY, TEXT, "text/plain")
    env = {
        **servers,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
    }
    return Scene(env=env, pool=pool, redis=redis, store=store, journal=told(commits))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is planted does not go away by waiting."""
    monkeypatch.setattr("chaos.rest.REST_WITHIN_S", 0.0)


async def test_what_the_projector_wrote_is_clean(scene: Scene) -> None:
    findings = await scene.findings()
    others = [text for texts in findings.wrong.values() for text in texts if "is under no tenant" not in text]
    assert not others
    looked_at = {name for name, count in findings.looked_at.items() if count}
    assert looked_at == {f"I{number}" for number in range(1, 13)}


async def tamper_with_a_byte(scene: Scene) -> None:
    await scene.pool.execute(
        "UPDATE events SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE partition = $1 AND seq = 2",
        PARTITION,
    )


async def lose_a_commit(scene: Scene) -> None:
    await scene.pool.execute("DELETE FROM events WHERE partition = $1 AND seq = 3", PARTITION)


async def leave_a_hole_in_the_versions(scene: Scene) -> None:
    """A commit that continues the chain, but not the object."""
    last = history()[-1]
    body, digest = encode_commit(
        partition=PARTITION,
        seq=last.seq + 1,
        prev=last.hash,
        object_id=OBJECT,
        version_from=last.version_to + 2,
        origin=last.origin,
        at=last.at,
        events=last.events[-1:],
    )
    version = last.version_to + 2
    await scene.pool.execute(
        "INSERT INTO events SELECT partition, seq + 1, object_id, $3, $3, at, $4 FROM events"
        " WHERE partition = $1 AND seq = $2",
        PARTITION,
        last.seq,
        version,
        body,
    )
    await scene.pool.execute("UPDATE checkpoints SET seq = seq + 1, hash = $2 WHERE partition = $1", PARTITION, digest)


async def change_a_row(scene: Scene) -> None:
    await scene.pool.execute("UPDATE objects SET error_code = 'planted'")


async def lose_a_row(scene: Scene) -> None:
    await scene.pool.execute("DELETE FROM objects")


async def lose_a_reference(scene: Scene) -> None:
    await scene.pool.execute("DELETE FROM artifact_references")


async def let_redis_differ(scene: Scene) -> None:
    await scene.redis.xdel(keys.events(PARTITION), "2-0")
    await scene.redis.xtrim(keys.events(PARTITION), maxlen=0, approximate=False)
    await scene.redis.delete(keys.events(PARTITION))
    await scene.redis.xadd(keys.events(PARTITION), {keys.BODY: b"another history"}, id="2-0")


async def lose_an_artifact(scene: Scene) -> None:
    await scene.store.delete(KEY)


async def damage_an_artifact(scene: Scene) -> None:
    await scene.store.put(KEY, TEXT[::-1], "text/plain")


async def leave_a_pending_entry(scene: Scene) -> None:
    stream = keys.tasks(PARTITION, "default")
    await scene.redis.xgroup_create(stream, keys.GROUP, id="0", mkstream=True)
    await scene.redis.xadd(stream, {keys.BODY: b"a task"})
    await scene.redis.execute_command("XREADGROUP", "GROUP", keys.GROUP, "w", "STREAMS", stream, ">")


async def leave_a_pending_command(scene: Scene) -> None:
    await scene.redis.hset(keys.pending(PARTITION), OBJECT, b"a command")


async def leave_a_running_row(scene: Scene) -> None:
    await scene.pool.execute("INSERT INTO running VALUES ($1, 'second', 1, 50)", OBJECT)


async def acknowledge_what_is_not_there(scene: Scene) -> None:
    other = OBJECT[:-1] + "2"
    scene.journal.objects[other] = Acknowledged(object_id=other, kind="test", sent_at=0, acknowledged_at=0)


async def acknowledge_an_order_that_nobody_obeyed(scene: Scene) -> None:
    order = Order(object_id=OBJECT, verb="cancel", command_id="nobody-knows", sent_at=0, acknowledged_at=0)
    scene.journal.orders.append(order)


async def answer_one_key_with_two_objects(scene: Scene) -> None:
    scene.journal.keys["key"].append(OBJECT[:-1] + "2")


async def show_an_event_twice(scene: Scene) -> None:
    events = scene.journal.sightings[0].events
    events.insert(2, events[1])


async def end_a_stream_early(scene: Scene) -> None:
    scene.journal.sightings[0].events.pop()


Plant = Callable[[Scene], Awaitable[None]]

PLANTED: list[tuple[str, Plant]] = [
    ("I1", acknowledge_what_is_not_there),
    ("I1", acknowledge_an_order_that_nobody_obeyed),
    ("I4", tamper_with_a_byte),
    ("I4", lose_a_commit),
    ("I4", leave_a_hole_in_the_versions),
    ("I5", change_a_row),
    ("I5", lose_a_row),
    ("I5", lose_a_reference),
    ("I5", let_redis_differ),
    ("I6", lose_an_artifact),
    ("I6", damage_an_artifact),
    ("I8", show_an_event_twice),
    ("I8", end_a_stream_early),
    ("I9", leave_a_pending_entry),
    ("I9", leave_a_pending_command),
    ("I9", leave_a_running_row),
    ("I10", answer_one_key_with_two_objects),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("invariant", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
async def test_planted_damage_is_found(scene: Scene, invariant: str, plant: Plant) -> None:
    await plant(scene)
    findings = await scene.findings()
    assert findings.wrong[invariant], findings.lines()
    assert any("VIOLATED" in line for line in findings.lines())


def test_an_event_that_happens_again_is_found() -> None:
    from chaos.ledger import Ledger

    findings, ledger = Findings(), Ledger(OBJECT)
    commits = history()
    for commit in [*commits, commits[-1]]:
        ledger.add(commit, findings)
    assert findings.wrong["I2"]
    assert findings.wrong["I3"]


def test_an_operation_that_was_queued_before_its_parents_succeeded_is_found() -> None:
    from chaos.ledger import Ledger

    findings, ledger = Findings(), Ledger(OBJECT)
    for commit in history():
        events: Any = [event for event in commit.events if type(event).__name__ != "OperationSucceeded"]
        ledger.add(commit.__class__(**{**_fields(commit), "events": tuple(events)}), findings)
    assert findings.wrong["I7"]


def _fields(commit: Commit) -> dict[str, Any]:
    return {name: getattr(commit, name) for name in commit.__struct_fields__}
