"""Parquet: typed values in, canonical types out."""

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
from pyarrow import parquet

from operations.running import run


def test_every_type_has_a_canonical_one(tmp_path):
    utc = dt.UTC
    noon = dt.datetime.fromisoformat("2024-01-01T12:00")
    table = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "huge": pa.array([2**64 - 1, 1], pa.uint64()),
            "float": pa.array([1.5, float("nan")], pa.float32()),
            "money": pa.array([Decimal("12.34"), None], pa.decimal128(10, 2)),
            "flag": [True, None],
            "day": [dt.date(2024, 2, 29), None],
            "naive": pa.array([noon, None], pa.timestamp("ms")),
            "zoned": pa.array([dt.datetime(2024, 1, 1, 12, tzinfo=utc), None], pa.timestamp("ns", "Europe/Paris")),
            "text": ["  x ", "NULL"],
            "coded": pa.array(["a", "b"]).dictionary_encode(),
            "bytes": pa.array([b"\x01\xff", None]),
            "nested": pa.array([{"k": [1, 2]}, None]),
            "time": pa.array([dt.time(1, 2, 3), None], pa.time64("us")),
        }
    )
    parquet.write_table(table, tmp_path / "d.parquet")
    done = run(tmp_path, tmp_path / "d.parquet", name="d.parquet", until="export")
    assert done.types == {
        "small": "integer",
        "huge": "text",
        "float": "number",
        "money": "number",
        "flag": "boolean",
        "day": "date",
        "naive": "timestamp",
        "zoned": "timestamp_utc",
        "text": "text",
        "coded": "text",
        "bytes": "text",
        "nested": "json",
        "time": "text",
    }
    rows = done.table
    assert rows["huge"] == [str(2**64 - 1), "1"]
    assert rows["float"] == [1.5, None]
    assert rows["money"] == [12.34, None]
    assert rows["zoned"][0] == dt.datetime(2024, 1, 1, 12, tzinfo=utc)
    assert rows["text"] == ["x", None]
    assert rows["bytes"] == ["01ff", None]
    assert json.loads(rows["nested"][0]) == {"k": [1, 2]}
    assert rows["time"] == ["01:02:03", None]
    assert [c["nulls"] for c in done.verdict["columns"]] == [1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1]


def test_an_empty_table_goes_through_the_chain(tmp_path):
    parquet.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "d.parquet")
    done = run(tmp_path, tmp_path / "d.parquet", name="d.parquet", until="export")
    assert done.table == {"a": []}
    assert done.document("profile.json")["quality"]["score"] == 0.0


def test_row_groups_keep_their_order(tmp_path):
    table = pa.table({"k": list(range(100_000))})
    parquet.write_table(table, tmp_path / "d.parquet", row_group_size=999)
    done = run(tmp_path, tmp_path / "d.parquet", name="d.parquet")
    assert done.table["k"] == list(range(100_000))
