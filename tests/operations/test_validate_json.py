"""JSON documents and NDJSON as tables."""

import json

from operations.running import run


def test_the_document_of_an_object_without_content_is_one_row(tmp_path):
    document = {"identifier": "my-object-123", "metadata": {"source": "web", "tags": ["a", "b"]}}
    done = run(tmp_path, json.dumps(document), name="request.json", until="export")
    assert done.types == {"identifier": "text", "metadata": "json"}
    assert done.table["identifier"] == ["my-object-123"]
    assert json.loads(done.table["metadata"][0]) == document["metadata"]
    assert done.results["export"].summary["files"] == 7


def test_an_array_of_objects_is_rows_with_the_union_of_their_keys(tmp_path):
    rows = [{"a": 1, "b": "x"}, {"b": None, "c": True}, {"a": 3, "c": False}]
    done = run(tmp_path, json.dumps(rows, indent=2), name="d.json")
    assert done.table == {"a": [1, None, 3], "b": ["x", None, None], "c": [None, True, False]}


def test_a_document_in_utf16_is_read(tmp_path):
    done = run(tmp_path, '[{"name": "Zoë"}]'.encode("utf-16"), name="d.json")
    assert done.table == {"name": ["Zoë"]}


def test_an_array_without_objects_has_one_column(tmp_path):
    done = run(tmp_path, "[1, 2.5, null]", name="d.json")
    assert done.table == {"value": [1.0, 2.5, None]}


def test_elements_that_are_no_objects_are_rejected_among_objects(tmp_path):
    done = run(tmp_path, '[{"a": 1}, 5, {"a": 2}]', name="d.json")
    assert done.table == {"a": [1, 2]}
    assert [(r["row"], r["line"], r["error"], r["raw"]) for r in done.rejects] == [("2", "", "not_an_object", "5")]


def test_broken_lines_of_ndjson_are_rejected_with_their_line(tmp_path):
    content = '{"a": 1}\n\n{"a": 2\n[3]\n{"a": 4, "late": "x"}\n'
    done = run(tmp_path, content, name="d.ndjson")
    assert done.table == {"a": [1, 4], "late": [None, "x"]}
    assert [(r["row"], r["line"], r["error"], r["raw"]) for r in done.rejects] == [
        ("2", "3", "malformed_json", '{"a": 2'),
        ("3", "4", "not_an_object", "[3]"),
    ]


def test_ndjson_is_recognised_whatever_it_was_declared_as(tmp_path):
    done = run(tmp_path, '{"a": 1}\n{"a": 2}\n', name="d.json")
    assert done.verdict["format"] == "ndjson"
    assert "format_differs" in done.issues


def test_strings_of_digits_stay_strings_and_iso_dates_become_dates(tmp_path):
    rows = [{"code": str(i), "day": f"2024-01-{i + 10}", "at": f"2024-01-01T0{i}:00:00Z"} for i in range(5)]
    done = run(tmp_path, "\n".join(json.dumps(row) for row in rows), name="d.ndjson")
    assert done.types == {"code": "text", "day": "date", "at": "timestamp_utc"}
    assert done.table["code"] == ["0", "1", "2", "3", "4"]


def test_a_string_in_a_numeric_column_is_a_reject(tmp_path):
    rows = [{"n": i} for i in range(9)] + [{"n": "9"}]
    done = run(tmp_path, "\n".join(json.dumps(row) for row in rows), name="d.ndjson")
    assert [(r["row"], r["column"], r["error"]) for r in done.rejects] == [("10", "n", "not_an_integer")]


def test_mixed_kinds_without_a_majority_are_text_and_nested_ones_json(tmp_path):
    rows = [{"m": 1, "n": {"k": 1}}, {"m": "x", "n": "plain"}, {"m": True, "n": [1]}]
    done = run(tmp_path, json.dumps(rows), name="d.json")
    assert done.table["m"] == ["1", "x", "true"]
    assert [json.loads(value) for value in done.table["n"]] == [{"k": 1}, "plain", [1]]


def test_integers_beyond_64_bits_keep_every_digit(tmp_path):
    huge = 123456789012345678901234567890
    done = run(tmp_path, json.dumps([{"id": huge, "deep": {"id": huge}}]), name="d.json")
    assert done.table == {"id": [str(huge)], "deep": [f'{{"id":{huge}}}']}


def test_many_batches_of_ndjson_keep_order_and_numbers(tmp_path):
    lines = [json.dumps({"k": k, "pad": "x" * 100}) for k in range(70_000)]
    lines[50_000] = "broken"
    done = run(tmp_path, "\n".join(lines), name="d.ndjson")
    assert done.table["k"] == [k for k in range(70_000) if k != 50_000]
    assert [(r["row"], r["line"], r["raw"]) for r in done.rejects] == [("50001", "50001", "broken")]


def test_long_ndjson_in_utf16_is_read_line_by_line(tmp_path):
    lines = [json.dumps({"k": k, "name": "Zoë"}, ensure_ascii=False) for k in range(30_000)]
    done = run(tmp_path, "\r\n".join(lines).encode("utf-16"), name="d.ndjson")
    assert done.table["k"] == list(range(30_000))
    assert set(done.table["name"]) == {"Zoë"}
