"""The archive: every artifact, the data in the format asked for, a manifest that holds."""

import csv
import hashlib
import io
import json
import zipfile

import pytest
from pyarrow import parquet

from operations.running import run

CONTENT = (
    "t,n,at,flag,=h\n"
    '=1+1,-5,2024-01-01T10:00:00,true,x\n"@a ""q"", b",2.5,2024-01-01T10:00:00.25,false,+y\n'
    '"line\nbreak",,,,-z\nplain,1e3,2024-01-02,true,\n'
)


def members(done):
    with zipfile.ZipFile(done.path("export.zip")) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


@pytest.mark.parametrize("format_", ["csv", "ndjson", "parquet"])
def test_the_manifest_names_every_file_with_its_true_size_and_digest(tmp_path, format_):
    done = run(tmp_path, CONTENT, until="export", params={"export": {"format": format_}})
    packed = members(done)
    manifest = done.document("manifest.json")
    assert json.loads(packed["manifest.json"]) == manifest
    assert set(packed) == {
        *{f"data.{format_}", "validation.json", "rejects.csv", "metadata.json", "profile.json", "report.html"},
        "manifest.json",
    }
    for file in manifest["files"]:
        assert file["bytes"] == len(packed[file["name"]])
        assert file["sha256"] == hashlib.sha256(packed[file["name"]]).hexdigest()
    assert manifest["files"][0]["rows"] == 4


def test_csv_keeps_a_spreadsheet_from_calculating(tmp_path):
    done = run(tmp_path, CONTENT, until="export")
    rows = list(csv.reader(io.StringIO(members(done)["data.csv"].decode(), newline="")))
    assert rows == [
        ["t", "n", "at", "flag", "'=h"],
        ["'=1+1", "-5", "2024-01-01T10:00:00", "true", "x"],
        ['\'@a "q", b', "2.5", "2024-01-01T10:00:00.250000", "false", "'+y"],
        ["line\nbreak", "", "", "", "'-z"],
        ["plain", "1000", "2024-01-02T00:00:00", "true", ""],
    ]


def test_the_guard_can_be_left_off(tmp_path):
    done = run(tmp_path, CONTENT, until="export", params={"export": {"csv_guard": False}})
    assert b"\n=1+1," in members(done)["data.csv"]


def test_ndjson_has_every_column_in_every_row_and_nests_json_again(tmp_path):
    rows = [{"a": 1, "b": {"c": [1, "x"]}}, {"a": None, "b": None}, {"a": 2.5, "b": {}}]
    done = run(tmp_path, json.dumps(rows), name="d.json", until="export", params={"export": {"format": "ndjson"}})
    assert [json.loads(line) for line in members(done)["data.ndjson"].splitlines()] == rows


def test_parquet_is_the_very_file_of_transform(tmp_path):
    done = run(tmp_path, CONTENT, until="export", params={"export": {"format": "parquet"}})
    data = members(done)["data.parquet"]
    assert data == done.path("data.parquet").read_bytes()
    assert parquet.read_table(io.BytesIO(data)).num_rows == 4


def test_the_exported_csv_reads_back_to_the_same_table(tmp_path):
    first = run(tmp_path, CONTENT, until="export", params={"export": {"csv_guard": False}})
    (tmp_path / "again").mkdir()
    again = run(tmp_path / "again", members(first)["data.csv"])
    assert again.table == first.table
