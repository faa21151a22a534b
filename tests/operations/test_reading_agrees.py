"""Arrow's parser finds the rows, Python's finds their raw text: both must number and split them alike."""

import csv
import io
import random

import pytest

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.csv_reader import CsvReader, read_records
from objproc_worker.operations.tabular.layout import Column, Layout
from objproc_worker.operations.tabular.reading import Flaws

PIECES = ["a", "1", ",", '"', '""', "\n", "\r\n", "\r", " ", '"x"', '"x,y"', '"l\nm"', ";"]


@pytest.mark.parametrize("seed", range(4))
def test_both_parsers_see_the_same_records(tmp_path, seed):
    chance = random.Random(seed)
    path = tmp_path / "odd.csv"
    for _ in range(250):
        width = chance.randint(1, 4)
        text = ",".join("h" * width) + "\n" + "".join(chance.choices(PIECES, k=chance.randint(1, 25)))
        path.write_bytes(text.encode())
        columns = tuple(Column(name=str(i), source_name="h", type=ColumnType.TEXT) for i in range(width))
        layout = Layout(
            format="csv", encoding="utf-8", delimiter=",", quote='"', has_header=True, null_values=(), columns=columns
        )
        reader = CsvReader(layout, path, Flaws(1_000))
        widths = {number: width for batch in reader.batches() for number in batch.numbers}
        expected = [record for record in csv.reader(io.StringIO(text, newline="")) if record][1:]
        assert sorted(widths) == [n for n, record in enumerate(expected, 1) if len(record) == width], text
        assert [flaw.row for flaw in reader.flaws.listed] == [
            n for n, record in enumerate(expected, 1) if len(record) != width
        ], text
        raws = [raw for _, _, raw in read_records(path, layout)][1:]
        assert [next(csv.reader(io.StringIO(raw, newline=""))) for raw in raws] == expected, text
