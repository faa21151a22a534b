"""A downloaded artifact appears whole and right, or not at all."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.conftest import AT_ONCE
from client.fake_server import FakeObject, FakeServer
from objproc_client import DigestError, NotFoundError, ProtocolError
from objproc_client.download import Download, safe_name


@pytest.fixture
def found(server: FakeServer) -> FakeObject:
    """A finished object."""
    return server.submit("a")


def test_an_artifact_lands_in_a_folder_under_its_own_name(client: Any, found: FakeObject, tmp_path: Path) -> None:
    path = client.download(found.object_id, "report.html", tmp_path)
    assert path == tmp_path / "report.html"
    assert path.read_bytes() == found.artifacts["report.html"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_artifact_lands_in_a_file(client: Any, found: FakeObject, tmp_path: Path) -> None:
    path = client.download(found.object_id, "profile.json", tmp_path / "new" / "mine.json")
    assert path.read_bytes() == found.artifacts["profile.json"]


def test_a_cut_is_resumed_where_it_was(client: Any, found: FakeObject, server: FakeServer, tmp_path: Path) -> None:
    server.artifact_cuts.extend([70_000, 10])
    path = client.download(found.object_id, "report.html", tmp_path)
    assert path.read_bytes() == found.artifacts["report.html"]


def test_bytes_that_are_not_the_artifact_s_are_not_kept(client: Any, found: FakeObject, tmp_path: Path) -> None:
    with pytest.raises(DigestError, match=r"report\.html should have the digest 00"):
        client.download(found.object_id, "report.html", tmp_path, sha256="00")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_leaves_no_file(client: Any, found: FakeObject, server: FakeServer, tmp_path: Path) -> None:
    server.faults.extend([404])
    with pytest.raises(NotFoundError):
        client.download(found.object_id, "report.html", tmp_path, sha256="00")
    assert list(tmp_path.iterdir()) == []


def begin(to: Path, sha256: str | None = None) -> Download:
    """Begin a download that is fed by hand."""
    return Download("o", "a.bin", to, sha256, AT_ONCE, "http://server")


def response(status: int, **headers: str) -> httpx.Response:
    """Make an answer's head."""
    return httpx.Response(status, headers=headers, json={}, request=httpx.Request("GET", "http://server/"))


def test_without_a_digest_a_cut_starts_again(tmp_path: Path) -> None:
    with begin(tmp_path) as download:
        download.write(b"abc")
        assert "Range" not in download.call().headers
        download.write(b"xyz")
        assert download.finish().read_bytes() == b"xyz"


def test_a_server_without_ranges_starts_again(tmp_path: Path) -> None:
    with begin(tmp_path, sha256(b"xyz").hexdigest()) as download:
        download.write(b"abc")
        assert download.call().headers["Range"] == "bytes=3-"
        assert download.opened(response(200)) is None
        download.write(b"xyz")
        assert download.finish().read_bytes() == b"xyz"


def test_another_range_than_asked_for_is_refused(tmp_path: Path) -> None:
    with begin(tmp_path, "00") as download:
        download.write(b"abc")
        download.call()
        with pytest.raises(ProtocolError, match="another range"):
            download.opened(response(206, **{"Content-Range": "bytes 0-9/10"}))


def test_a_range_beyond_the_end_starts_again(tmp_path: Path) -> None:
    with begin(tmp_path, "00") as download:
        download.write(b"abc")
        assert download.opened(response(416)) == 0.0
        assert "Range" not in download.call().headers


def test_a_transient_refusal_is_a_pause(tmp_path: Path) -> None:
    with begin(tmp_path) as download:
        assert download.opened(response(503)) == 0.0


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.json", "a.json"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\a.bat", "a.bat"),
        ("..", "artifact"),
        ("", "artifact"),
        (".bashrc", "bashrc"),
        ("a\nb\x1b", "a_b_"),
    ],
)
def test_a_name_cannot_leave_its_folder(name: str, safe: str) -> None:
    assert safe_name(name) == safe
