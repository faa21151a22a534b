"""The page: self-contained, complete, and harmless whatever the columns are called."""

import re
from html.parser import HTMLParser

import pytest

from operations.running import csv_text, run

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
VOID = {"meta", "br", "img", "link", "input"}


class Outline(HTMLParser):
    """Collects tags, attributes and text, and checks that every element is closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    rows = [(HOSTILE, "n", "m", "gaps", "\u202eevil")]
    rows += [(HOSTILE, i, i * i, "" if i < 30 else "x", "y") for i in range(60)]
    return run(tmp_path_factory.mktemp("page"), csv_text(rows), until="analyze").path("report.html").read_text()


@pytest.fixture(scope="module")
def outline(page):
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    return outline


def test_a_hostile_column_name_is_text_and_nothing_else(page, outline):
    assert not {"script", "img", "iframe", "object"} & set(outline.tags)
    assert not [name for name in outline.attributes if name.startswith("on")]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert any(HOSTILE in words for words in outline.words)
    assert "\u202e" not in page


def test_the_page_needs_nothing_from_elsewhere(page):
    assert not re.search(r"(?:src|srcset)=|url\(|@import|https?://", page.replace("&lt;img src=x", ""))
    assert re.findall(r'href="(?!#)', page) == []
    assert "default-src 'none'" in page


def test_the_charts_are_there(page, outline):
    assert outline.tags.count("svg") >= 5
    for label in ("Quality score", "Histogram of n", "Most frequent values", "Missing values by", "Correlation matrix"):
        assert label in page


def test_dark_narrow_and_paper_are_provided_for(page):
    assert "prefers-color-scheme:dark" in page
    assert 'name="viewport"' in page
    assert "@media print" in page


@pytest.mark.parametrize("content", ["a\n", "a,b\n1,\n", "a\n\x01 in a longer text\n"])
def test_the_smallest_tables_have_a_page_too(tmp_path, content):
    outline = Outline()
    outline.feed(run(tmp_path, content, until="analyze").path("report.html").read_text())
    assert outline.open == []


def test_a_very_wide_table_shows_its_first_columns_and_says_so(tmp_path):
    content = ",".join(f"c{i}" for i in range(160)) + "\n" + ",".join("x" * 160) + "\n"
    assert (
        "10 more columns are in profile.json" in run(tmp_path, content, until="analyze").path("report.html").read_text()
    )
