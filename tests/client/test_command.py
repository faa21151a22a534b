"""The `objproc` command inside this process: what it prints, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from client.conftest import AT_ONCE
from client.fake_server import FakeServer
from objproc_client import Artifact
from objproc_client.__main__ import main
from objproc_client.command.artifacts import targets


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Result]


@pytest.fixture
def objproc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command; it repeats without pauses."""
    for module in ("client", "async_client"):
        monkeypatch.setattr(f"objproc_client.{module}.Retries", lambda: AT_ONCE)
        monkeypatch.setattr(f"objproc_client.{module}.WATCH_RETRIES", AT_ONCE)

    def run(*arguments: object) -> Result:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to process."""
    path = tmp_path / "sales.csv"
    path.write_text("a,b\n1,2\n")
    return path


def test_a_file_is_uploaded_submitted_and_followed(objproc: Command, server: FakeServer, file: Path) -> None:
    result = objproc("process", file, "--wait", "--operations", "validate,analyze")
    assert (result.code, result.err) == (0, "")
    assert server.contents == {"sales.csv": b"a,b\n1,2\n"}
    assert server.bodies == [{"identifier": "sales.csv", "operations": ["validate", "analyze"]}]
    first, *_, last = result.out.splitlines()
    assert first.startswith(f"{file}: submitted as ")
    assert last == f"{file}: COMPLETED"


def test_an_object_that_is_deleted_meanwhile_has_not_completed(objproc: Command, server: FakeServer) -> None:
    server.ending_by_identifier["a"] = "DELETED"
    server.hides_deleted = True
    result = objproc("process", "--identifier", "a", "--wait")
    assert (result.code, result.out.splitlines()[-1]) == (1, "a: DELETED")


def test_without_a_terminal_only_ids_are_printed(objproc: Command, server: FakeServer, file: Path) -> None:
    result = objproc("process", file)
    assert (result.code, result.out.split()) == (0, list(server.objects))


def test_a_failed_object_is_told_with_its_reason(objproc: Command, server: FakeServer, file: Path) -> None:
    server.ending_by_identifier["sales.csv"] = "FAILED"
    result = objproc("process", file, "--wait")
    (object_id,) = server.objects
    assert result.code == 1
    assert "transform  3        bad_rows: row 7 has no \\x1b[31mcolour" in result.err
    assert f"objproc show {object_id}" in result.err
    assert f"objproc retry {object_id}" in result.err


def test_several_files_end_with_the_worst_code(objproc: Command, server: FakeServer, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.csv" for number in range(12)]
    for path in files:
        path.write_text(path.name)
    server.ending_by_identifier["7.csv"] = "CANCELLED"
    result = objproc("process", *files, "--wait", "--json")
    assert result.code == 1
    states = {line["identifier"]: line["state"] for line in result.lines}
    assert states == {path.name: "COMPLETED" for path in files} | {"7.csv": "CANCELLED"}
    assert server.contents == {path.name: path.name.encode() for path in files}


def test_files_of_one_name_do_not_take_each_other_s_content(
    objproc: Command, server: FakeServer, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").write_text(folder)
    assert objproc("process", tmp_path / "a/x.csv", tmp_path / "b/x.csv").code == 0
    assert [request.method for request in server.requests] == ["PUT", "POST", "PUT", "POST"]


def test_json_is_one_line_an_object_and_nothing_else(objproc: Command, server: FakeServer, file: Path) -> None:
    submitted = objproc("process", file, "--json").lines
    finished = objproc("process", file, "--json", "--wait").lines
    assert [(line["state"], line["name"]) for line in submitted + finished] == [
        ("PENDING", str(file)),
        ("COMPLETED", str(file)),
    ]
    assert submitted[0]["object_id"] in server.objects
    assert finished[0]["novel"] == {"a": 1}


def test_a_refusal_is_legible_and_tells_what_to_do(objproc: Command, file: Path, server: FakeServer) -> None:
    result = objproc("process", file, "--operations", "explode", "--json")
    assert result.code == 2
    assert "The plan cannot be made.\n  /operations/0: there is no operation 'explode'" in result.err
    assert "objproc operations" in result.err
    assert result.lines[0]["error"]["code"] == "unknown_operation"


def test_the_plain_call_needs_no_file(objproc: Command, server: FakeServer) -> None:
    assert objproc("process", "--identifier", "my-object-123", "--metadata", "size=3").code == 0
    assert server.bodies == [{"identifier": "my-object-123", "operations": ["analyze"], "metadata": {"size": 3}}]


def test_every_option_reaches_the_server(objproc: Command, server: FakeServer) -> None:
    arguments = ["--params-json", '{"transform": {"a": 1}}', "--params", "transform.b=x", "--tag", "t"]
    more = ["--priority", "3", "--not-before", "2030-01-01T00:00:00Z", "--idempotency-key", "k"]
    assert objproc("process", "--identifier", "x", "--data", "null", *arguments, *more).code == 0
    assert server.bodies == [
        {
            "identifier": "x",
            "operations": ["analyze"],
            "data": None,
            "params": {"transform": {"a": 1, "b": "x"}},
            "tags": ["t"],
            "priority": 3,
            "not_before": "2030-01-01T00:00:00Z",
        }
    ]
    assert list(server.object_id_by_key) == ["k"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explode"],
        ["process"],
        ["process", "not-there.csv"],
        ["process", "."],
        ["process", __file__, __file__ + "/../conftest.py", "--identifier", "a"],
        ["process", __file__, "--data", "1"],
        ["process", "--identifier", "a", "--data", "{"],
        ["process", "--identifier", "a", "--params", "a=1", "--params", "a.b=1"],
        ["process", "--identifier", "a", "--params-json", "[]"],
        ["list", "--limit", "0"],
        ["list", "--state", "SLEEPING"],
        ["--url", "nonsense", "status"],
    ],
)
def test_wrong_usage_is_2_and_says_why(objproc: Command, server: FakeServer, arguments: list[str]) -> None:
    result = objproc(*arguments)
    assert (result.code, result.out, server.requests) == (2, "", [])
    assert result.err


@pytest.mark.parametrize("arguments", [["status"], ["process", "--identifier", "a"], ["watch", "a"]])
def test_an_unreachable_server_is_3_and_says_what_to_do(objproc: Command, dead_url: str, arguments: list[str]) -> None:
    result = objproc("--url", dead_url, *arguments)
    assert (result.code, result.out) == (3, "")
    assert f"{dead_url} does not answer" in result.err
    assert "objproc up" in result.err
    assert "OBJPROC_URL" in result.err


def test_list_shows_as_many_as_asked_and_tells_of_more(objproc: Command, server: FakeServer) -> None:
    for number in range(3):
        server.submit(f"n{number}")
    result = objproc("list", "--limit", 2)
    header, *rows = result.out.splitlines()
    assert header.split() == ["OBJECT", "ID", "IDENTIFIER", "STATE", "PROGRESS", "SUBMITTED"]
    assert [row.split()[1] for row in rows] == ["n0", "n1"]
    assert "--limit 20" in result.err
    assert len(objproc("list", "--state", "completed", "--json").lines) == 3


def test_show_tells_operations_attempts_errors_and_artifacts(objproc: Command, server: FakeServer) -> None:
    server.ending_by_identifier["a"] = "FAILED"
    found = server.submit("a")
    shown = objproc("show", "a").out
    for expected in (found.object_id, "FAILED (100 %)", "bad_rows: row 7", "transform", "profile.json", "97.7 KiB"):
        assert expected in shown
    assert objproc("show", found.object_id, "--json").lines[0]["metadata"] == {"a": 1}


def test_events_and_artifacts_are_listed(objproc: Command, server: FakeServer) -> None:
    server.submit("a")
    assert "ObjectCompleted" in objproc("events", "a").out
    assert [line["version"] for line in objproc("events", "a", "--json").lines] == [1, 2, 3, 4]
    assert "report.html" in objproc("artifacts", "a").out
    assert [line["name"] for line in objproc("artifacts", "a", "--json").lines] == ["profile.json", "report.html"]


@pytest.mark.parametrize(("ending", "code"), [("COMPLETED", 0), ("FAILED", 1), ("CANCELLED", 1)])
def test_watch_ends_with_the_object(objproc: Command, server: FakeServer, ending: str, code: int) -> None:
    server.ending_by_identifier["a"] = ending
    found = server.submit("a")
    result = objproc("watch", found.object_id)
    assert (result.code, result.out.splitlines()[-1]) == (code, f"{found.object_id}: {ending}")
    assert ("objproc retry" in result.err) == bool(code)


def test_watch_after_the_last_event_tells_the_end_only(objproc: Command, server: FakeServer) -> None:
    server.submit("a")
    assert objproc("watch", "a", "--last-event-id", "4").out == "a: COMPLETED\n"


def test_watch_as_json_is_one_line_an_event(objproc: Command, server: FakeServer) -> None:
    server.submit("a")
    lines = objproc("watch", "a", "--json").lines
    assert [line["id"] for line in lines if line["event"] != "progress"] == ["1", "2", "3", "4"]


def test_cancel_retry_and_delete_tell_the_outcome(objproc: Command, server: FakeServer) -> None:
    server.ending_by_identifier["a"] = None
    found = server.submit("a")
    assert objproc("delete", "a").code == 1
    assert objproc("cancel", "a").out == f"a ({found.object_id}): CANCELLED\n"
    assert "not decided yet" in objproc("retry", "a").out
    assert objproc("delete", "a", "--force", "--json").lines[0]["state"] == "DELETED"


def test_a_conflict_is_1_and_says_what_to_do(objproc: Command, server: FakeServer) -> None:
    result = objproc("cancel", server.submit("a").object_id)
    assert (result.code, result.out) == (1, "")
    assert "cannot be cancelled" in result.err
    assert "objproc show" in result.err


def test_what_is_not_there_is_1(objproc: Command, server: FakeServer) -> None:
    result = objproc("show", "nobody")
    assert (result.code, "objproc list" in result.err) == (1, True)


def test_all_artifacts_are_downloaded(objproc: Command, server: FakeServer, tmp_path: Path) -> None:
    server.submit("a")
    result = objproc("download", "a", "--to", tmp_path / "new")
    assert result.out.splitlines() == [str(tmp_path / "new" / name) for name in ("profile.json", "report.html")]
    assert (tmp_path / "new" / "profile.json").read_bytes() == b'{"rows": 3}'


def test_artifacts_of_one_name_go_into_their_operations_folders() -> None:
    found = [Artifact(name="a", operation="x"), Artifact(name="a", operation="y"), Artifact(name="b", operation="y")]
    assert [path for _, path in targets(found, Path("to"))] == [Path("to/x/a"), Path("to/y/a"), Path("to/b")]


def test_one_artifact_is_downloaded(objproc: Command, server: FakeServer, tmp_path: Path) -> None:
    server.submit("a")
    (line,) = objproc("download", "a", "profile.json", "--to", tmp_path, "--json").lines
    assert (line["name"], line["size"], line["path"]) == ("profile.json", 11, str(tmp_path / "profile.json"))


def test_an_artifact_that_is_not_there_is_1_and_names_those_that_are(objproc: Command, server: FakeServer) -> None:
    server.submit("a")
    result = objproc("download", "a", "nothing.bin")
    assert (result.code, "profile.json, report.html" in result.err) == (1, True)


def test_status_shows_whatever_the_server_tells(objproc: Command, server: FakeServer) -> None:
    shown = objproc("status").out
    for expected in ("backlog  2", "completed_per_s 1.5", "NAME    STATE  REPLICAS", "worker  up     3", "PARTITION"):
        assert expected in shown
    assert objproc("status", "--json").lines[0]["backlog"] == 2


def test_operations_are_listed(objproc: Command, server: FakeServer) -> None:
    assert "text/csv" in objproc("operations").out


def test_an_unready_server_is_3(objproc: Command, server: FakeServer) -> None:
    server.faults.extend([503] * 9)
    server.fault_headers = {"Retry-After": "3600"}
    result = objproc("status")
    assert (result.code, "come again" in result.err) == (3, True)


def test_up_runs_the_embedded_system(objproc: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Path | None, int | None]] = []
    embedded = ModuleType("objproc_embedded.up")
    embedded.main = lambda data, port: calls.append((data, port)) or 0
    monkeypatch.setitem(sys.modules, "objproc_embedded.up", embedded)
    assert objproc("up", "--data", "d", "--port", 9).code == 0
    assert objproc("up").code == 0
    assert calls == [(Path("d"), 9), (None, None)]


def test_up_without_the_embedded_system_says_how_to_get_it(objproc: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "objproc_embedded.up", None)
    result = objproc("up")
    assert (result.code, "make setup" in result.err) == (2, True)
