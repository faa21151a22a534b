"""Content that cannot be used: a permanent error, a stable code, and words its user can act on."""

import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from objproc_worker.operations.tabular import json_reader
from operations.running import refusal, run


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_nothing_is_refused_as_empty(tmp_path, content):
    assert refusal(tmp_path, content).code == "empty_content"


@pytest.mark.parametrize("content", [b"[]", b"{}", b"[{}]"])
def test_json_without_a_key_is_refused_as_empty(tmp_path, content):
    assert refusal(tmp_path, content, name="d.json").code == "empty_content"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG image"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "JPEG image"),
        (b"%PDF-1.7\n...", "PDF document"),
        (b"PK\x03\x04" + b"\0" * 50, "ZIP container"),
        (gzip.compress(b"a,b\n1,2\n"), "gzip"),
        (bytes(range(256)) * 20, "binary data"),
    ],
)
def test_other_media_are_named_even_when_declared_as_csv(tmp_path, content, words):
    error = refusal(tmp_path, content, name="data.csv", media_type="text/csv")
    assert error.code == "unsupported_media"
    assert words in error.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<!doctype html><html><body>Hi</body></html>", "markup"),
        ("Just a letter to you.\nIt has no table, really.\nBest\n", "plain text"),
    ],
)
def test_text_without_a_table_is_no_tabular_content(tmp_path, content, words):
    error = refusal(tmp_path, content, name="note.txt", media_type="text/plain")
    assert error.code == "unsupported_media"
    assert words in error.message


def test_broken_json_says_line_and_column(tmp_path):
    error = refusal(tmp_path, '{\n  "a": 1,\n  "b": oops\n}', name="d.json")
    assert error.code == "malformed_json"
    assert "line 3, column 8" in error.message


def test_truncated_json_is_malformed(tmp_path):
    assert refusal(tmp_path, '[{"a": 1}, {"a":', name="d.json").code == "malformed_json"


def test_json_nested_too_deeply_is_malformed_and_no_crash(tmp_path):
    assert refusal(tmp_path, "[" * 100_000, name="d.json").code == "malformed_json"


def test_ndjson_without_one_good_line_is_malformed(tmp_path):
    error = refusal(tmp_path, "\nnope\nnope\n", name="d.ndjson")
    assert error.code == "malformed_json"
    assert "line 2" in error.message


def test_a_json_document_beyond_the_cap_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_reader, "JSON_BYTES_MAX", 1_000)
    error = refusal(tmp_path, json.dumps([{"a": i} for i in range(500)], indent=1), name="d.json")
    assert error.code == "json_too_large"


@pytest.mark.parametrize("keep", [4, 100, -1])
def test_truncated_parquet_is_malformed(tmp_path, keep):
    parquet.write_table(pa.table({"a": list(range(1000))}), tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()[:keep]
    assert refusal(tmp_path, content, name="d.parquet").code == "malformed_parquet"


def test_parquet_with_a_broken_page_is_malformed(tmp_path):
    table = pa.table({"a": list(range(5000))})
    parquet.write_table(table, tmp_path / "whole.parquet", compression="zstd", write_page_checksum=True)
    content = bytearray((tmp_path / "whole.parquet").read_bytes())
    content[40:400] = b"\xa5" * 360
    assert refusal(tmp_path, bytes(content), name="d.parquet").code == "malformed_parquet"


def test_bytes_that_contradict_the_declared_encoding_are_undecodable(tmp_path):
    error = refusal(tmp_path, b"a,b\n1,\xff\n", params={"validate": {"encoding": "utf-8"}})
    assert error.code == "undecodable"
    assert "byte 6" in error.message


@pytest.mark.parametrize("name", ["no-such-thing", "base64"])
def test_an_unknown_encoding_is_refused(tmp_path, name):
    assert refusal(tmp_path, "a\n1\n", params={"validate": {"encoding": name}}).code == "unknown_encoding"


def test_a_record_larger_than_a_block_says_where_it_starts(tmp_path):
    error = refusal(tmp_path, 'a,b\n1,2\n3,"' + "x,y\n" * 2_300_000)
    assert error.code == "record_too_large"
    assert "line 3" in error.message


def test_too_many_columns_are_refused(tmp_path):
    assert refusal(tmp_path, ",".join(f"c{i}" for i in range(3_000)) + "\n").code == "too_many_columns"


def test_too_many_rejects_fail_where_the_caller_says_so(tmp_path):
    params = {"validate": {"max_reject_share": 0.1}}
    error = refusal(tmp_path, "a,b\n1,2\n3\n4,5\n", params=params)
    assert error.code == "too_many_rejects"
    assert "1 of 3 rows" in error.message


def test_unknown_params_are_refused(tmp_path):
    with pytest.raises(ValueError, match="sloppy"):
        run(tmp_path, "a\n1\n", params={"validate": {"sloppy": True}})
