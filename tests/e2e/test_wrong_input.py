"""Wrong input gets an answer its user can act on, and nothing is written."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from objproc_client import AsyncClient
from objproc_embedded.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROCESS = "/api/v1/process"
GOOD = {"identifier": "x", "operations": ["noop1"]}
NO_NUMBER = {"identifier": "x", "operations": ["nap"], "params": {"nap": {"seconds": "x"}}}


async def objproc(*arguments: str, url: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "objproc_client",
        *arguments,
        env={**os.environ, "OBJPROC_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b'{"identifier": "x", "operations": [', 400, "invalid_json", None),
        (b'"text"', 422, "invalid_request", ""),
        ({**GOOD, "operations": ["noop1", "nonsense"]}, 422, "unknown_operation", "/operations/1"),
        ({**GOOD, "colour": "red"}, 422, "invalid_request", "/colour"),
        ({"operations": ["noop1"]}, 422, "invalid_request", "/identifier"),
        ({**GOOD, "operations": []}, 422, "invalid_request", "/operations"),
        (
            {**GOOD, "operations": ["nap"], "params": {"nap": {"seconds": "x"}}},
            422,
            "invalid_params",
            "/params/nap/seconds",
        ),
        ({**GOOD, "source": {"sha256": "0" * 64}}, 422, "unknown_content", "/source/sha256"),
        ({**GOOD, "data": "x" * (1 << 20)}, 413, "data_too_large", None),
    ],
)
async def test_a_wrong_request_is_refused_with_a_code_and_a_pointer(
    stack: Stack, body: Any, status: int, code: str, pointer: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(base_url=stack.url) as http:
        answer = await http.post(PROCESS, content=content, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["detail"]
    if pointer is not None:
        assert pointer in [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/objects/nobody", 404, "object_not_found"),
        ("GET", "/api/v1/progress/01a2096a-dd1f-70bb-9152-bdd423da1cdc", 404, "object_not_found"),
        ("GET", "/api/v1/progress/01a2096a-dd1f-70bb-9152-bdd423da1cdc/stream", 404, "object_not_found"),
        ("POST", "/api/v1/objects/01a2096a-dd1f-70bb-9152-bdd423da1cdc/cancel", 404, "object_not_found"),
        ("DELETE", "/api/v1/objects/01a2096a-dd1f-70bb-9152-bdd423da1cdc", 404, "object_not_found"),
        ("GET", "/api/v2/nothing", 404, "not_found"),
        ("PUT", PROCESS, 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there_is_said_to_be_not_there(
    stack: Stack, method: str, path: str, status: int, code: str
) -> None:
    async with httpx.AsyncClient(base_url=stack.url) as http:
        answer = await http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_finished_object_cannot_be_cancelled_or_retried(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.url) as http:
        done = (await http.post(PROCESS, json=GOOD, headers={"Prefer": "wait=10"})).json()
        assert done["state"] == "COMPLETED"
        path = f"/api/v1/objects/{done['object_id']}"
        cancelled, retried = await http.post(f"{path}/cancel"), await http.post(f"{path}/retry")
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "object_finished")
    assert (retried.status_code, retried.json()["code"]) == (409, "object_not_failed")


async def test_content_beyond_the_limit_is_refused_and_the_limit_is_named(stack: Stack) -> None:
    async def endless() -> Any:
        for _ in range(65):
            yield bytes(1 << 20)

    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as http:
        answer = await http.put("/api/v1/objects/large/content", content=endless())
        assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
        assert str(64 << 20) in answer.json()["detail"]
        assert (await http.get("/api/v1/objects/large")).status_code == 404


async def test_the_command_says_by_its_exit_code_how_it_went(stack: Stack, tmp_path: Path) -> None:
    good, broken = tmp_path / "good.csv", tmp_path / "broken.json"
    good.write_text("a,b\n1,2\n3,4\n")
    broken.write_text('{"a": [')
    code, out, _ = await objproc("process", str(good), "--operations", "analyze", "--wait", "--json", url=stack.url)
    assert (code, json.loads(out)["state"]) == (0, "COMPLETED")
    code, out, err = await objproc("process", str(broken), "--operations", "validate", "--wait", url=stack.url)
    assert code == 1
    assert "malformed_json" in out + err
    code, _, err = await objproc("process", str(good), "--operations", "nonsense", "--wait", url=stack.url)
    assert code == 2
    assert "nonsense" in err
    code, _, err = await objproc("status", url="http://127.0.0.1:1")
    assert code == 3
    assert "objproc up" in err


async def test_every_command_works_on_a_finished_object(stack: Stack, client: AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    code, out, _ = await objproc("process", str(path), "--operations", "export", "--wait", "--json", url=stack.url)
    object_id = json.loads(out)["object_id"]
    for arguments in (
        ("status",),
        ("operations",),
        ("list", "--state", "COMPLETED"),
        ("show", object_id),
        ("show", "numbers.csv"),
        ("events", object_id),
        ("artifacts", object_id),
        ("download", object_id, "report.html", "--to", str(tmp_path)),
        ("watch", object_id),
        ("delete", object_id),
    ):
        code, out, err = await objproc(*arguments, url=stack.url)
        assert code == 0, (arguments, out, err)
        assert out + err
    assert (tmp_path / "report.html").stat().st_size > 1000
