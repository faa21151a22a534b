"""The main job on real servers, real processes and real files."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from objproc_client import AsyncClient, NotFoundError, ProblemError
from objproc_embedded.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def finished(client: AsyncClient, object_id: str) -> Any:
    """The object, once nothing more happens to it."""
    async for _ in client.watch(object_id):
        pass
    return await client.get_object(object_id)


async def until(client: AsyncClient, object_id: str, state: str) -> Any:
    """The object, once it is in that state."""
    async with asyncio.timeout(20):
        while (progress := await client.progress(object_id)).state != state:
            await asyncio.sleep(0.02)
    return progress


async def test_the_plainest_call_plans_and_completes_everything_it_needs(client: AsyncClient) -> None:
    submission = await client.process("my-object-123", ["validate", "transform", "analyze"])
    assert list(submission.plan) == ["validate", "transform", "enrich", "analyze"]
    details = await finished(client, submission.object_id)
    assert details.state == "COMPLETED"
    assert {artifact.name for artifact in details.artifacts} >= {
        "validation.json",
        "data.parquet",
        "metadata.json",
        "profile.json",
        "report.html",
    }


async def test_a_csv_comes_out_as_it_went_in(client: AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "age"])
        writer.writerows([f"person {number}", number % 90] for number in range(2000))
    await client.put_content("people.csv", path)
    submission = await client.process("people.csv", ["export"])
    details = await finished(client, submission.object_id)
    assert details.state == "COMPLETED"
    for artifact in details.artifacts:
        target = await client.download(submission.object_id, artifact.name, tmp_path / artifact.name)
        assert hashlib.sha256(target.read_bytes()).hexdigest() == artifact.sha256
    profile = json.loads((tmp_path / "profile.json").read_text())
    assert str(2000) in json.dumps(profile)


async def test_a_get_right_after_the_202_finds_the_object_on_every_replica(stack: Stack) -> None:
    async with httpx.AsyncClient() as http:
        for number in range(50):
            body = {"identifier": f"right-after-{number}", "operations": ["noop5"]}
            answer = await http.post(f"{stack.urls[0]}/api/v1/process", json=body)
            assert answer.status_code == 202
            found = await http.get(f"{stack.urls[1]}/api/v1/progress/{answer.json()['object_id']}")
            assert found.status_code == 200, found.text


async def test_a_client_sees_each_event_once_and_in_order_also_after_a_reconnect(stack: Stack) -> None:
    async with AsyncClient(stack.urls[0]) as one, AsyncClient(stack.urls[1]) as other:
        submission = await one.process("watched", ["last"])
        object_id = submission.object_id
        seen = [event async for event in one.watch(object_id) if event.type != "progress"]
        versions = [event.version for event in seen]
        assert versions == list(range(1, len(versions) + 1))
        assert seen[-1].state == "COMPLETED"
        resumed = [event.version async for event in other.watch(object_id, last_event_id="3")]
        assert resumed == versions[3:]


async def test_an_idempotency_key_names_one_object_however_often_and_wherever_it_is_sent(stack: Stack) -> None:
    body = {"identifier": "once", "operations": ["noop5"]}
    async with httpx.AsyncClient() as http:
        calls = [
            http.post(f"{stack.urls[number % 2]}/api/v1/process", json=body, headers={"Idempotency-Key": "k-1"})
            for number in range(50)
        ]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["object_id"] for answer in answers}) == 1
        assert any(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers)
        other = {**body, "operations": ["noop4"]}
        reused = await http.post(f"{stack.url}/api/v1/process", json=other, headers={"Idempotency-Key": "k-1"})
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
        object_id = answers[0].json()["object_id"]
        events = (await http.get(f"{stack.url}/api/v1/objects/{object_id}/events")).json()["items"]
        assert sum(event["type"] == "ObjectSubmitted" for event in events) == 1


async def test_what_may_be_tried_again_is_and_then_fails_with_its_reason(client: AsyncClient) -> None:
    submission = await client.process("unlucky", ["unlucky"])
    details = await finished(client, submission.object_id)
    assert details.state == "FAILED"
    assert details.operations[0].attempt == 2
    assert details.raw["error"]["code"] == "bad_luck"


async def test_a_mended_file_is_taken_up_by_a_retry(client: AsyncClient) -> None:
    await client.put_content("broken.json", b'{"rows": [1, 2', "application/json")
    submission = await client.process("broken.json", ["transform"])
    broken = await finished(client, submission.object_id)
    assert broken.state == "FAILED"
    assert broken.raw["error"]["code"] == "malformed_json"
    await client.put_content("broken.json", b'[{"a": 1}, {"a": 2}]', "application/json")
    await client.retry(submission.object_id)
    mended = await finished(client, submission.object_id)
    assert mended.state == "COMPLETED"


async def test_a_running_object_is_cancelled_and_its_child_is_gone(client: AsyncClient) -> None:
    submission = await client.process("sleeper", ["last"], params={"nap": {"seconds": 600}})
    await until(client, submission.object_id, "PROCESSING")
    await client.cancel(submission.object_id)
    details = await finished(client, submission.object_id)
    assert details.state == "CANCELLED"
    states = {operation.operation: operation.state for operation in details.operations}
    assert states == {"first": "SUCCEEDED", "nap": "CANCELLED", "last": "CANCELLED"}


async def test_a_deleted_object_keeps_its_history_and_loses_its_bytes(client: AsyncClient, stack: Stack) -> None:
    submission = await client.process("to-delete", ["last"])
    details = await finished(client, submission.object_id)
    (artifact,) = details.artifacts
    await client.delete(submission.object_id)
    gone = await until(client, submission.object_id, "DELETED")
    assert gone.state == "DELETED"
    with pytest.raises(ProblemError) as caught:
        await client.download(submission.object_id, artifact.name, Path("/dev/null"))
    assert caught.value.status in {404, 410}
    types = [event.type async for event in client.events(submission.object_id)]
    assert types[0] == "ObjectSubmitted"
    assert types[-1] == "ObjectDeleted"


async def test_progress_inside_an_operation_is_seen(client: AsyncClient) -> None:
    submission = await client.process("slow", ["last"], params={"nap": {"seconds": 3}})
    percents = [event.progress async for event in client.watch(submission.object_id) if event.type == "progress"]
    assert len(percents) >= 2
    assert percents == sorted(percents)


async def test_what_nobody_knows_is_not_found(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError):
        await client.get_object("nobody-knows-this")
