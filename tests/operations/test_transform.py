"""Typed values, compared with what Python's own parsers make of the same text."""

import csv
import datetime as dt
import io
import random

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from objproc_worker.operations.tabular.categories import Category, count_categories, is_any
from objproc_worker.operations.tabular.column_types import ColumnType, accepted_categories, cast_text
from operations.running import csv_text, run


def test_texts_are_trimmed_and_booleans_numbers_and_dates_typed(tmp_path):
    text = "t,b,i,f,d\n  x y ,TRUE,-5,+1.5e3,2024-02-29\nz,False, 7 ,.5,0001-01-01\n"
    done = run(tmp_path, text)
    assert done.table == {
        "t": ["x y", "z"],
        "b": [True, False],
        "i": [-5, 7],
        "f": [1500.0, 0.5],
        "d": [dt.date(2024, 2, 29), dt.date(1, 1, 1)],
    }


def test_integers_widen_to_numbers_and_dates_to_timestamps(tmp_path):
    done = run(tmp_path, "n,t\n1,2024-01-01\n2.5,2024-01-01 10:30\n3,2024-01-01T10:30:15.1234567\n")
    assert done.table["n"] == [1.0, 2.5, 3.0]
    assert done.table["t"] == [
        dt.datetime.fromisoformat("2024-01-01"),
        dt.datetime.fromisoformat("2024-01-01T10:30"),
        dt.datetime.fromisoformat("2024-01-01T10:30:15.123456"),
    ]


def test_zoned_timestamps_are_utc_and_naive_ones_among_them_too(tmp_path):
    done = run(tmp_path, "t\n2024-01-01T10:00:00+02:00\n2024-01-01T10:00:00Z\n2024-01-01 10:00\n2024-01-01\n")
    assert done.types == {"t": "timestamp_utc"}
    assert [t.hour for t in done.table["t"]] == [8, 10, 10, 0]
    assert all(t.tzinfo is not None for t in done.table["t"])


def test_yes_and_no_are_booleans_only_where_nothing_else_is_there(tmp_path):
    done = run(tmp_path, "a,b\nyes,NO\nno,SE\ny,DK\n")
    assert done.table == {"a": [True, False, True], "b": ["NO", "SE", "DK"]}


def test_random_rows_equal_an_independent_reading(tmp_path):
    chance = random.Random(11)
    start = dt.datetime.fromisoformat("2020-01-01")
    rows = [
        (
            chance.randint(-(10**15), 10**15),
            "" if chance.random() < 0.2 else repr(chance.uniform(-1e6, 1e6)),
            str(start.date() + dt.timedelta(days=chance.randint(-9000, 9000))),
            (start + dt.timedelta(microseconds=chance.randint(0, 10**15))).isoformat(),
            "".join(chance.choice('ab,"\n é;') for _ in range(chance.randint(1, 12))) + "!",
        )
        for _ in range(5_000)
    ]
    text = csv_text([("i", "f", "d", "t", "s"), *rows])
    table = run(tmp_path, text).table
    expected = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert table["i"] == [int(row[0]) for row in expected]
    assert table["f"] == [float(row[1]) if row[1] else None for row in expected]
    assert table["d"] == [dt.date.fromisoformat(row[2]) for row in expected]
    assert table["t"] == [dt.datetime.fromisoformat(row[3]) for row in expected]
    assert table["s"] == [row[4].strip() for row in expected]


def test_the_file_is_zstd_with_the_documented_types(tmp_path):
    done = run(tmp_path, "i,f,b,d,t,s\n1,1.5,true,2024-01-01,2024-01-01T00:00,x\n")
    file = parquet.ParquetFile(done.path("data.parquet"))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.schema_arrow.types == [
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.date32(),
        pa.timestamp("us"),
        pa.string(),
    ]


def test_every_text_a_category_accepts_can_be_cast():
    chance = random.Random(2)
    dates = ["0001-01-01", "9999-12-31", "2000-02-29", "2024-02-29", "1900-02-28", "1969-12-31"]
    clocks = ["00:00", "23:59", "23:59:59", "12:00:00.1", "12:00:00.123456", "12:00:00.123456789"]
    zones = ["Z", "+00:00", "-00:00", "+14:59", "-14", "+0530", "-1459"]
    stamps = [f"{chance.choice(dates)}{chance.choice('T ')}{chance.choice(clocks)}" for _ in range(200)]
    samples = {
        ColumnType.INTEGER: ["0", "-0", "999999999999999999", "-999999999999999999"],
        ColumnType.NUMBER: ["1.", ".5", "-.5e-99", "+1e99", "9" * 40 + ".1", "007", "+5", "9" * 19, "1E+5"],
        ColumnType.BOOLEAN: ["TRUE", "False", "y", "N"],
        ColumnType.DATE: dates,
        ColumnType.TIMESTAMP: stamps + dates,
        ColumnType.TIMESTAMP_UTC: stamps + dates + [stamp + chance.choice(zones) for stamp in stamps],
    }
    for kind, texts in samples.items():
        array = pa.array(texts)
        accepted = accepted_categories(kind, False)
        assert pc.all(is_any(array, accepted)).as_py(), kind
        assert cast_text(array, kind).null_count == 0


def test_what_is_no_date_is_text():
    texts = ["2023-02-29", "1900-02-29", "2024-04-31", "0000-01-01", "2024-13-01", "2024-1-1", "2024-01-01T24:00"]
    texts += ["2024-01-01T10:60", "1e100", "0x1F", "1_000", "1,000.5", "--5", "nan1", "inf", "١٢"]
    assert count_categories(pa.array(texts)) == {Category.TEXT: len(texts)}
