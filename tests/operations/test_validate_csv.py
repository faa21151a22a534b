"""Odd delimited files: each is read as a person would read it, or its rows are named one by one."""

import pytest

from operations.running import run


def test_quotes_delimiters_and_line_ends_inside_quotes_belong_to_the_value(tmp_path):
    done = run(tmp_path, 'a,b\r\n"x ""y"", z","1\r\n2"\r\n"",\r\n')
    assert done.table == {"a": ['x "y", z', None], "b": ["1\r\n2", None]}
    assert done.verdict["line_end"] == "crlf"


@pytest.mark.parametrize(("delimiter", "format_"), [(",", "csv"), (";", "csv"), ("\t", "tsv"), ("|", "csv")])
def test_the_delimiter_is_found(tmp_path, delimiter, format_):
    text = f"id{delimiter}name{delimiter}note\n1{delimiter}Ann{delimiter}x\n2{delimiter}Bob{delimiter}y\n"
    done = run(tmp_path, text, name="data.txt", media_type="application/octet-stream")
    assert (done.verdict["delimiter"], done.verdict["format"]) == (delimiter, format_)
    assert done.table == {"id": [1, 2], "name": ["Ann", "Bob"], "note": ["x", "y"]}


def test_a_small_ragged_file_keeps_its_columns(tmp_path):
    done = run(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")
    assert done.table == {"a": [1, 10], "b": [2, 11], "c": [3, 12]}
    assert [(r["row"], r["line"], r["error"], r["raw"]) for r in done.rejects] == [
        ("2", "3", "too_few_columns", "4,5"),
        ("3", "4", "too_many_columns", "6,7,8,9"),
    ]


def test_semicolons_win_over_decimal_commas(tmp_path):
    done = run(tmp_path, "name;price\nx;1,5\ny;20,25\nz;3\n")
    assert done.types == {"name": "text", "price": "number"}
    assert done.table["price"] == [1.5, 20.25, 3.0]


def test_commas_in_the_only_column_do_not_split_it(tmp_path):
    done = run(tmp_path, "comment\nHello, world\nplain\nAnd, again, commas\n")
    assert done.table == {"comment": ["Hello, world", "plain", "And, again, commas"]}


def test_a_few_bad_values_are_rejected_and_the_column_keeps_its_type(tmp_path):
    rows = [f"{i},{'oops' if i in (3, 7) else i * 10}" for i in range(20)]
    done = run(tmp_path, "id,amount\n" + "\n".join(rows) + "\n")
    assert done.types == {"id": "integer", "amount": "integer"}
    assert [(r["row"], r["line"], r["column"], r["error"], r["raw"]) for r in done.rejects] == [
        ("4", "5", "amount", "not_an_integer", "3,oops"),
        ("8", "9", "amount", "not_an_integer", "7,oops"),
    ]
    assert done.verdict["rows_rejected"] == 2
    assert done.table["amount"] == [i * 10 for i in range(20) if i not in (3, 7)]


def test_a_column_without_a_majority_is_text(tmp_path):
    done = run(tmp_path, "v\n1\n2\nx\ny\n")
    assert done.types == {"v": "text"}
    assert done.rejects == []


def test_each_bad_value_of_a_row_is_listed_and_the_row_counts_once(tmp_path):
    body = "".join(f"{i},2024-01-{i:02d}\n" for i in range(1, 10))
    done = run(tmp_path, "n,day\n" + body + "x,2023-02-30\n")
    assert [(r["row"], r["column"], r["error"]) for r in done.rejects] == [
        ("10", "day", "not_a_date"),
        ("10", "n", "not_an_integer"),
    ]
    assert done.verdict["rows_rejected"] == 1


def test_lines_are_physical_and_rows_are_records(tmp_path):
    done = run(tmp_path, 'a,b\n\n1,"x\ny"\n\n2,z\n3\n4,w\n')
    assert [(r["row"], r["line"], r["raw"]) for r in done.rejects] == [("3", "7", "3")]


def test_mixed_line_ends_end_lines_all_the_same(tmp_path):
    done = run(tmp_path, "a,b\r\n1,2\n3,4\r5,6")
    assert done.table == {"a": [1, 3, 5], "b": [2, 4, 6]}
    assert "mixed_line_ends" in done.issues


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_unicode_encodings_are_recognised(tmp_path, encoding, expected):
    text = "name,city\nJosé,São Paulo\nZoë,Kraków\nBob,x\n4\n"
    done = run(tmp_path, text.encode(encoding))
    assert done.verdict["encoding"] == expected
    assert done.table == {"name": ["José", "Zoë", "Bob"], "city": ["São Paulo", "Kraków", "x"]}
    assert [(r["row"], r["line"], r["raw"]) for r in done.rejects] == [("4", "5", "4")]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_legacy_text_is_read_as_such(tmp_path, encoding):
    text = "name,stadt\n" + "Müller,Köln\nGroß,Düsseldorf\nJosé,Málaga\n" * 20
    done = run(tmp_path, text.encode(encoding))
    assert done.table["stadt"][:3] == ["Köln", "Düsseldorf", "Málaga"]
    assert "legacy_encoding" in done.issues


def test_a_declared_encoding_is_obeyed(tmp_path):
    text = "имя,город\nИван,Москва\n"
    done = run(tmp_path, text.encode("koi8-r"), params={"validate": {"encoding": "koi8-r"}})
    assert done.table == {"имя": ["Иван"], "город": ["Москва"]}


def test_broken_bytes_in_utf8_reject_their_rows_only(tmp_path):
    content = "name,n\nJosé,1\nZoë,2\n".encode() + b"bad\xff,3\n" + "Ørjan,4\n".encode()
    done = run(tmp_path, content)
    assert done.table == {"name": ["José", "Zoë", "Ørjan"], "n": [1, 2, 4]}
    assert [(r["row"], r["line"], r["error"], r["raw"]) for r in done.rejects] == [
        ("3", "4", "invalid_encoding", "bad\\xff,3")
    ]


def test_rows_with_nul_characters_are_rejected(tmp_path):
    done = run(tmp_path, b"a,b\n1,x\n2,y\x00z\n3,w\n")
    assert done.table == {"a": [1, 3], "b": ["x", "w"]}
    assert [(r["row"], r["error"]) for r in done.rejects] == [("2", "nul_character")]


def test_a_quote_that_is_never_closed_rejects_what_it_swallowed(tmp_path):
    done = run(tmp_path, 'a,b\n1,x\n2,"y\n3,z\n')
    assert done.table == {"a": [1], "b": ["x"]}
    assert [(r["row"], r["line"], r["error"], r["raw"]) for r in done.rejects] == [
        ("2", "3", "unclosed_quote", '2,"y\n3,z')
    ]
    assert "unclosed_quote" in done.issues


def test_a_header_without_rows_is_an_empty_table(tmp_path):
    done = run(tmp_path, "a,b,c\n")
    assert done.verdict["rows"] == 0
    assert done.table == {"a": [], "b": [], "c": []}
    assert "no_rows" in done.issues


def test_duplicate_and_empty_column_names_are_made_unique_and_reported(tmp_path):
    done = run(tmp_path, "id,Name,name,,id\n1,a,b,c,2\n")
    assert list(done.table) == ["id", "Name", "name_2", "column_4", "id_2"]
    assert {"duplicate_column_name", "empty_column_name"} <= done.issues
    assert [c["source_name"] for c in done.verdict["columns"]] == ["id", "Name", "name", "", "id"]


def test_values_in_the_first_row_mean_there_is_no_header(tmp_path):
    done = run(tmp_path, "1,Ann,2024-01-01\n2,Bob,2024-01-02\n")
    assert list(done.table) == ["column_1", "column_2", "column_3"]
    assert done.verdict["rows"] == 2


def test_years_above_other_values_are_names(tmp_path):
    assert list(run(tmp_path, "country,2019,2020\nDE,10,20\nFR,30,40\n").table) == ["country", "2019", "2020"]
    assert list(run(tmp_path, "Ann,1985\nBob,1990\n").table) == ["column_1", "column_2"]


def test_a_format_the_caller_names_is_obeyed(tmp_path):
    done = run(tmp_path, '["a"],["b"]\n1,2\n', name="d.json", params={"validate": {"format": "csv"}})
    assert done.table == {'["a"]': [1], '["b"]': [2]}


def test_the_caller_decides_about_header_delimiter_and_quote(tmp_path):
    params = {"validate": {"header": False, "delimiter": ":", "quote": "'"}}
    done = run(tmp_path, "a:b\n'x:y':2\n", params=params)
    assert done.table == {"column_1": ["a", "x:y"], "column_2": ["b", "2"]}


def test_zero_padded_and_overlong_digits_stay_text(tmp_path):
    done = run(tmp_path, "zip,account\n01234,12345678901234567890\n99999,1\n00001,2\n")
    assert done.types == {"zip": "text", "account": "text"}
    assert done.table["zip"] == ["01234", "99999", "00001"]


def test_words_for_missing_are_null_in_typed_columns_only(tmp_path):
    done = run(tmp_path, "n,country\n1,NA\nNA,DE\n3,FR\n-,\n")
    assert done.table == {"n": [1, None, 3, None], "country": ["NA", "DE", "FR", None]}
    assert [c["nulls"] for c in done.verdict["columns"]] == [2, 1]


def test_own_null_values_replace_the_usual_ones(tmp_path):
    done = run(tmp_path, "n,t\n1,NULL\n?,x\n", params={"validate": {"null_values": ["?"]}})
    assert done.table == {"n": [1, None], "t": ["NULL", "x"]}


def test_nulls_are_counted_over_accepted_rows(tmp_path):
    rows = "".join(f"{i},\n" for i in range(9)) + "bad,\n"
    done = run(tmp_path, "n,empty\n" + rows)
    assert [c["nulls"] for c in done.verdict["columns"]] == [0, 9]
    assert [c["bad"] for c in done.verdict["columns"]] == [1, 0]


def test_rejects_are_listed_up_to_the_limit_and_counted_beyond(tmp_path):
    content = "a,b\n" + "1,2\n3\n" * 50
    done = run(tmp_path, content, params={"validate": {"max_rejects": 7}})
    assert done.verdict["rows_rejected"] == 50
    assert done.verdict["rejects"] == {"by_code": {"too_few_columns": 50}, "flaws": 50, "listed": 7}
    assert [r["row"] for r in done.rejects] == [str(2 * i) for i in range(1, 8)]
    assert "rejects_cut" in done.issues


def test_many_columns_and_many_blocks_keep_their_order(tmp_path):
    lines = [",".join(["k", *(f"c{i}" for i in range(30))])]
    lines += [",".join([str(k), *(["some longer text to fill blocks"] * 30)]) for k in range(12_000)]
    lines[7_001] = "7000,short"
    done = run(tmp_path, "\n".join(lines))
    assert done.table["k"] == [k for k in range(12_000) if k != 7_000]
    assert [(r["row"], r["line"]) for r in done.rejects] == [("7001", "7002")]


def test_large_files_in_other_encodings_keep_every_row(tmp_path):
    lines = ["k;stadt", *(f"{k};Köln am Rhein {k}" for k in range(120_000)), "x;y;z"]
    done = run(tmp_path, "\n".join(lines).encode("utf-16"))
    assert done.table["k"] == list(range(120_000))
    assert done.table["stadt"][-1] == "Köln am Rhein 119999"
    assert [(r["row"], r["line"], r["raw"]) for r in done.rejects] == [("120001", "120002", "x;y;z")]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1251", "Санкт-Петербург, Невский проспект"),
        ("cp1252", "5 € – “très cher”, déjà vu à Málaga"),
        ("shift_jis", "東京のりんごとみかん"),
    ],
)
def test_other_legacy_text_is_recognised(tmp_path, encoding, words):
    text = "id;words\n" + "".join(f"{i};{words}\n" for i in range(40))
    done = run(tmp_path, text.encode(encoding))
    assert set(done.table["words"]) == {words}
