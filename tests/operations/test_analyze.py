"""Every number of the profile against a computation of its own: csv and statistics, and polars."""

import csv
import io
import math
import random
import statistics
from collections import Counter
from itertools import pairwise

import pytest

from operations.running import csv_text, run


def sample_csv(rows=4_000):
    chance = random.Random(5)
    lines = [("id", "x", "y", "group", "word", "day")]
    for i in range(rows):
        x = chance.gauss(100, 15)
        lines.append(
            (
                i,
                "" if chance.random() < 0.1 else repr(x),
                "" if chance.random() < 0.1 else repr(2 * x + chance.gauss(0, 20)),
                chance.randint(1, 7),
                chance.choice(["red", "green", "blue", "grün"]),
                f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
            )
        )
    lines += lines[1:41]
    return csv_text(lines)


@pytest.fixture(scope="module")
def text():
    return sample_csv()


@pytest.fixture(scope="module")
def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module")
def profile(text, tmp_path_factory):
    return run(tmp_path_factory.mktemp("profile"), text, until="analyze").document("profile.json")


def columns_of(profile):
    return {column["name"]: column for column in profile["columns"]}


@pytest.mark.parametrize("name", ["id", "x", "y", "group"])
def test_moments_equal_the_statistics_module(profile, rows, name):
    values = [float(row[name]) for row in rows if row[name]]
    column = columns_of(profile)[name]
    assert column["values"] == len(values)
    assert column["nulls"] == len(rows) - len(values)
    assert column["distinct"] == len(set(values))
    assert (column["min"], column["max"]) == (min(values), max(values))
    assert column["mean"] == pytest.approx(statistics.fmean(values), rel=1e-11)
    assert column["std"] == pytest.approx(statistics.stdev(values), rel=1e-11)
    assert column["sum"] == pytest.approx(math.fsum(values), rel=1e-11)


@pytest.mark.parametrize("name", ["id", "x", "group"])
def test_quantiles_are_interpolated_linearly(profile, rows, name):
    values = sorted(float(row[name]) for row in rows if row[name])
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    quantiles = columns_of(profile)[name]["quantiles"]
    for key, cut in (("p01", 0), ("p05", 4), ("p25", 24), ("p50", 49), ("p75", 74), ("p95", 94), ("p99", 98)):
        assert quantiles[key] == pytest.approx(cuts[cut], rel=1e-12)


@pytest.mark.parametrize("name", ["id", "x", "y", "group"])
def test_histograms_count_every_value_between_their_edges(profile, rows, name):
    values = [float(row[name]) for row in rows if row[name]]
    bins = columns_of(profile)[name]["histogram"]
    edges = bins["edges"]
    expected = [sum(low <= v < high for v in values) for low, high in pairwise(edges)]
    expected[-1] += sum(v == edges[-1] for v in values)
    assert bins["counts"] == expected
    assert sum(bins["counts"]) == len(values)


def test_top_values_and_lengths_of_texts(profile, rows):
    column = columns_of(profile)["word"]
    counts = Counter(row["word"] for row in rows)
    assert [(t["value"], t["count"]) for t in column["top"]] == sorted(counts.items(), key=lambda e: (-e[1], e[0]))
    lengths = [len(row["word"]) for row in rows]
    assert column["lengths"]["min"] == min(lengths)
    assert column["lengths"]["max"] == max(lengths)
    assert column["lengths"]["mean"] == pytest.approx(statistics.fmean(lengths), rel=1e-11)


def test_dates_have_extremes_and_a_histogram_in_iso(profile, rows):
    column = columns_of(profile)["day"]
    days = sorted(row["day"] for row in rows)
    assert (column["min"], column["max"]) == (days[0], days[-1])
    edges = column["histogram"]["edges"]
    assert column["histogram"]["counts"][0] == sum(edges[0] <= day < edges[1] for day in days)


def test_correlations_equal_the_statistics_module_on_complete_pairs(profile, rows):
    names = profile["correlations"]["columns"]
    assert names == ["id", "x", "y", "group"]
    for i, left in enumerate(names):
        for j, right in enumerate(names):
            pairs = [(float(row[left]), float(row[right])) for row in rows if row[left] and row[right]]
            expected = statistics.correlation([p[0] for p in pairs], [p[1] for p in pairs])
            assert profile["correlations"]["matrix"][i][j] == pytest.approx(expected, abs=2e-9)


def test_outliers_lie_beyond_tukeys_fences(profile, rows):
    column = columns_of(profile)["x"]
    low, high = column["quantiles"]["p25"], column["quantiles"]["p75"]
    reach = 1.5 * (high - low)
    values = [float(row["x"]) for row in rows if row["x"]]
    assert column["outliers"]["count"] == sum(v < low - reach or v > high + reach for v in values)


def test_duplicate_rows_are_those_that_repeat_an_earlier_one(profile, rows):
    assert profile["duplicate_rows"]["count"] == len(rows) - len({tuple(row.values()) for row in rows}) == 40


def test_the_score_follows_its_formula(profile, rows):
    parts = profile["quality"]["parts"]
    cells = [value for row in rows for value in row.values()]
    completeness = sum(bool(value) for value in cells) / len(cells)
    expected = 100 * (0.4 + 0.4 * completeness + 0.2 * (1 - 40 / len(rows)))
    assert profile["quality"]["score"] == pytest.approx(expected, abs=0.006)
    assert parts["completeness"] == pytest.approx(completeness, abs=1e-6)


def test_polars_agrees(profile, text):
    polars = pytest.importorskip("polars")
    frame = polars.read_csv(io.StringIO(text))
    columns = columns_of(profile)
    for name in ("id", "x", "y", "group"):
        assert columns[name]["nulls"] == frame[name].null_count()
        assert columns[name]["mean"] == pytest.approx(frame[name].mean(), rel=1e-11)
        assert columns[name]["std"] == pytest.approx(frame[name].std(), rel=1e-11)
        assert columns[name]["quantiles"]["p75"] == pytest.approx(frame[name].quantile(0.75, "linear"), rel=1e-12)
        assert columns[name]["distinct"] == frame[name].drop_nulls().n_unique()


def test_values_of_personal_columns_are_withheld(tmp_path):
    rows = [("mail", "card_number", "n")]
    rows += [(f"user{i % 3}@hidden.example", 4111111111111111, i) for i in range(50)]
    done = run(tmp_path, csv_text(rows), until="analyze")
    for name in ("profile.json", "report.html"):
        text = done.path(name).read_text()
        assert "hidden.example" not in text
        assert "4111111111111111" not in text
        assert "4,111,111,111,111,111" not in text
    columns = columns_of(done.document("profile.json"))
    assert columns["mail"]["distinct"] == 3
    assert columns["mail"]["withheld"] == columns["card_number"]["withheld"] == "personal data"


def test_sums_of_large_integers_do_not_overflow(tmp_path):
    large = 10**17 * 9
    done = run(tmp_path, csv_text([("n",), *[(large + i,) for i in range(50)]]), until="analyze")
    column = columns_of(done.document("profile.json"))["n"]
    assert column["mean"] == pytest.approx(large + 24.5, rel=1e-11)
    assert column["sum"] == pytest.approx(50 * large + 1225, rel=1e-11)


def test_a_constant_column_has_no_correlation_and_no_spread(tmp_path):
    done = run(tmp_path, "a,b\n" + "".join(f"5.1,{i}\n" for i in range(30)), until="analyze")
    profile = done.document("profile.json")
    assert profile["correlations"]["matrix"][0][1] is None
    assert columns_of(profile)["a"]["std"] == 0
    assert "constant_column" in {finding["code"] for finding in profile["findings"]}


def test_a_sample_says_so_and_is_near_the_truth(tmp_path):
    params = {"analyze": {"exact_rows_max": 1_000, "sample_rows": 2_000, "seed": 3}}
    text = csv_text([("n", "w"), *[(i, "ab"[i % 2]) for i in range(20_000)]])
    profile = run(tmp_path, text, until="analyze", params=params).document("profile.json")
    column = columns_of(profile)["n"]
    basis = column["distribution_basis"]
    assert (basis["is_exact"], basis["sample_rows"], basis["seed"]) == (False, 2_000, 3)
    assert column["basis"] == {"is_exact": True}
    assert (column["min"], column["max"], column["mean"]) == (0, 19_999, 9_999.5)
    assert column["quantiles"]["p50"] == pytest.approx(10_000, rel=0.1)
    assert column["distinct"] == pytest.approx(20_000, rel=0.1)
    assert profile["duplicate_rows"]["basis"]["is_exact"] is False
