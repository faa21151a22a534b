"""Logical types, personal data and the schema of a row."""

import json
import uuid

import pytest

from objproc_worker.operations.tabular.logical_types import is_card, is_iban
from objproc_worker.operations.tabular.personal_data import personal_name
from operations.running import csv_text, run

CARDS = ["4111111111111111", "5500 0000 0000 0004", "378282246310005", "6011-0009-9013-9424"]
IBANS = ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606"]


def test_each_logical_type_is_recognised_with_its_share(tmp_path):
    rows = [("mail", "site", "ip", "ip6", "key", "iban", "card", "land", "money", "tel", "colour", "mac")]
    rows += [
        (
            f"u{i}@example.com" if i else "nobody",
            f"https://example.com/{i}?q=1",
            f"10.0.0.{i}",
            f"2001:db8::{i}",
            str(uuid.UUID(int=i + 10**30)),
            IBANS[i % 3],
            CARDS[i % 4],
            ["DE", "FR", "USA"][i % 3],
            ["EUR", "USD", "CHF"][i % 3],
            f"+49 30 12345{i}",
            f"#a0b0c{i}",
            f"00:1a:2b:3c:4d:0{i}",
        )
        for i in range(10)
    ]
    done = run(tmp_path, csv_text(rows), until="enrich")
    columns = {column["name"]: column for column in done.document("metadata.json")["columns"]}
    assert {name: column["logical_type"] for name, column in columns.items()} == {
        "mail": "email",
        "site": "url",
        "ip": "ipv4",
        "ip6": "ipv6",
        "key": "uuid",
        "iban": "iban",
        "card": "payment_card",
        "land": "country_code",
        "money": "currency_code",
        "tel": "phone",
        "colour": "hex_color",
        "mac": "mac_address",
    }
    assert columns["mail"]["logical_type_share"] == 0.9
    assert {name for name, column in columns.items() if column["is_pii"]} == {
        *{"mail", "ip", "ip6", "iban", "card", "tel", "mac"}
    }
    assert columns["iban"]["pii"] == {
        "kind": "iban",
        "basis": "values",
        "validator": "mod-97 checksum",
        "share": 1.0,
    }


def test_one_address_inside_a_text_makes_the_column_personal(tmp_path):
    rows = [("note",), *[(f"plain text {i}",) for i in range(99)], ("write to ann@example.com, please",)]
    done = run(tmp_path, csv_text(rows), until="enrich")
    (column,) = done.document("metadata.json")["columns"]
    assert (column["is_pii"], column["logical_type"]) == (True, None)
    assert column["pii"] == {"kind": "email", "basis": "inside values", "validator": "pattern", "share": 0.01}


def test_addresses_inside_nested_json_are_found(tmp_path):
    done = run(tmp_path, json.dumps([{"who": {"mail": "ann@example.com"}}]), name="d.json", until="enrich")
    assert done.document("metadata.json")["pii_columns"] == ["who"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("firstName", "person_name"),
        ("Last Name", "person_name"),
        ("date_of_birth", "birth_date"),
        ("Home Address", "postal_address"),
        ("phone_number", "phone"),
        ("SSN", "national_id"),
        ("product_name", None),
        ("shipping_days", None),
        ("description", None),
        ("mac_address", None),
    ],
)
def test_names_of_columns_tell_of_personal_data(name, kind):
    assert personal_name(name) == kind


def test_checksums_refuse_a_changed_digit():
    assert all(is_card(card) for card in CARDS)
    assert all(is_iban(iban) for iban in IBANS)
    assert not is_card("4111111111111112")
    assert not is_iban("DE89370400440532013001")


def test_dates_versions_and_addresses_are_no_phones(tmp_path):
    rows = [("v",), *[(text,) for text in ("192.168.100.100", "2024-01-01 10", "1.234.5", "12345678", "x")]]
    done = run(tmp_path, csv_text(rows), until="enrich")
    (column,) = done.document("metadata.json")["columns"]
    assert "phone" not in column["matches"]


def test_no_value_of_the_content_is_in_the_metadata(tmp_path):
    rows = [("mail", "secret"), *[(f"user{i}@hidden.example", f"sesame{i}") for i in range(20)]]
    done = run(tmp_path, csv_text(rows), until="enrich")
    text = done.path("metadata.json").read_text()
    assert "hidden.example" not in text
    assert "sesame" not in text


def test_the_schema_says_what_a_row_is(tmp_path):
    done = run(tmp_path, "id,mail,n,at\n1,a@b.de,,2024-01-01T00:00Z\n2,c@d.de,1.5,\n", until="enrich")
    schema = done.document("metadata.json")["row_schema"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["id", "mail", "n", "at"]
    assert schema["properties"] == {
        "id": {"type": "integer"},
        "mail": {"type": "string", "format": "email", "minLength": 6, "maxLength": 6},
        "n": {"type": ["number", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
    }
