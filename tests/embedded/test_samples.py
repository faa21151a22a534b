"""The sample objects: the same at every run, and what they are said to be."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from objproc_embedded.samples import SAMPLES, write_samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("samples")
    write_samples(path)
    return path


def test_samples_are_the_same_at_every_run(folder: Path, tmp_path: Path):
    write_samples(tmp_path)
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name


def test_the_clean_csv_has_ten_thousand_rows_and_more(folder: Path):
    assert len((folder / "orders.csv").read_text(encoding="utf-8").splitlines()) > 10_000


def test_the_messy_csv_is_ragged_and_not_utf_8(folder: Path):
    content = (folder / "customers.csv").read_bytes()
    assert len({line.count(b";") for line in content.splitlines()}) > 1
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def test_the_ndjson_has_nested_values_in_every_line(folder: Path):
    lines = [json.loads(line) for line in (folder / "visits.ndjson").read_text(encoding="utf-8").splitlines()]
    assert all(isinstance(line["page"], dict) for line in lines)


def test_the_parquet_has_several_types(folder: Path):
    schema = pq.read_schema(folder / "readings.parquet")
    assert len(set(schema.types)) == 7


def test_the_torn_json_is_broken_and_the_mended_is_not(folder: Path):
    with pytest.raises(json.JSONDecodeError):
        json.loads((folder / "invoices.json").read_text(encoding="utf-8"))
    assert len(json.loads((folder / "mended" / "invoices.json").read_text(encoding="utf-8"))) > 100


def test_every_sample_is_written(folder: Path):
    assert {path.name for path in folder.iterdir()} == {"mended", *(sample.name for sample in SAMPLES)}
