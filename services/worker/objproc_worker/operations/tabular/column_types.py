"""From categories to one type per column, and from text to values of that type."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from objproc_worker.operations.tabular.categories import TRUE_WORDS, Category


class ColumnType(StrEnum):
    """Types of a column after `validate`; each has one Arrow type in data.parquet."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    """Microseconds without a zone."""
    TIMESTAMP_UTC = "timestamp_utc"
    """Microseconds in UTC; a value without a zone counts as UTC."""
    JSON = "json"
    """Nested values as compact JSON text."""
    TEXT = "text"

    @property
    def is_numeric(self) -> bool:
        return self in {ColumnType.INTEGER, ColumnType.NUMBER}


ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.TIMESTAMP_UTC: pa.timestamp("us", "UTC"),
    ColumnType.JSON: pa.string(),
    ColumnType.TEXT: pa.string(),
}
ACCEPTED: dict[ColumnType, tuple[Category, ...]] = {
    ColumnType.INTEGER: (Category.INTEGER,),
    ColumnType.NUMBER: (Category.INTEGER, Category.DECIMAL, Category.IDENTIFIER),
    ColumnType.BOOLEAN: (Category.BOOLEAN, Category.FLAG),
    ColumnType.DATE: (Category.DATE,),
    ColumnType.TIMESTAMP: (Category.DATE, Category.TIMESTAMP),
    ColumnType.TIMESTAMP_UTC: (Category.DATE, Category.TIMESTAMP, Category.ZONED),
}
"""What a column of the type accepts besides nulls and MISSING; text and JSON accept everything."""
NUMBER_WITH_COMMA = (Category.INTEGER, Category.DECIMAL_COMMA, Category.IDENTIFIER)
ERROR_CODES: dict[ColumnType, str] = {
    ColumnType.INTEGER: "not_an_integer",
    ColumnType.NUMBER: "not_a_number",
    ColumnType.BOOLEAN: "not_a_boolean",
    ColumnType.DATE: "not_a_date",
    ColumnType.TIMESTAMP: "not_a_timestamp",
    ColumnType.TIMESTAMP_UTC: "not_a_timestamp",
}


def accepted_categories(kind: ColumnType, decimal_comma: bool) -> tuple[Category, ...] | None:
    """The categories a column accepts besides MISSING; None where it accepts everything."""
    if kind is ColumnType.NUMBER and decimal_comma:
        return NUMBER_WITH_COMMA
    return ACCEPTED.get(kind)


def decide_type(counts: Counter[Category], majority: float) -> tuple[ColumnType, bool]:
    """The type of a column with these counts of non-null values, and whether its decimals use a comma.

    A column has a type when at least `majority` of its values (nulls and MISSING aside) fit it; the
    others are rejects. It widens before it rejects: decimals among integers make a number, timestamps
    among dates a timestamp. Zero-padded or overlong digits make an integer column text: they are names.
    """
    total = sum(counts.values()) - counts[Category.MISSING]
    enough = majority * total
    integers, decimals = counts[Category.INTEGER], counts[Category.DECIMAL]
    padded, comma = counts[Category.IDENTIFIER], counts[Category.DECIMAL_COMMA]
    dates = counts[Category.DATE]
    naive, zoned = counts[Category.TIMESTAMP], counts[Category.ZONED]
    booleans, flags = counts[Category.BOOLEAN], counts[Category.FLAG]
    if total == 0 or padded > max(decimals, comma):
        return ColumnType.TEXT, False
    if integers >= enough and not decimals and not comma:
        return ColumnType.INTEGER, False
    if decimals and integers + decimals + padded >= enough:
        return ColumnType.NUMBER, False
    if comma and not decimals and integers + comma + padded >= enough:
        return ColumnType.NUMBER, True
    if (booleans and booleans + flags >= enough) or booleans + flags == total:
        return ColumnType.BOOLEAN, False
    if dates >= enough and not naive and not zoned:
        return ColumnType.DATE, False
    if dates + naive + zoned >= enough:
        return (ColumnType.TIMESTAMP_UTC if zoned else ColumnType.TIMESTAMP), False
    if counts[Category.NESTED]:
        return ColumnType.JSON, False
    return ColumnType.TEXT, False


def cast_text(text: pa.Array, kind: ColumnType, decimal_comma: bool = False) -> pa.Array:
    """`text` as values of `kind`. Every non-null text must be acceptable: ArrowInvalid otherwise."""
    match kind:
        case ColumnType.TEXT | ColumnType.JSON:
            return text
        case ColumnType.BOOLEAN:
            words = pc.is_in(text, value_set=pa.array(TRUE_WORDS, pa.string()))
            return pc.if_else(pc.is_valid(text), words, pa.scalar(None, pa.bool_()))
        case ColumnType.NUMBER if decimal_comma:
            return pc.replace_substring(text, ",", ".").cast(pa.float64())
        case ColumnType.TIMESTAMP | ColumnType.TIMESTAMP_UTC:
            return _cast_timestamp(text, kind)
        case _:
            return text.cast(ARROW_TYPES[kind])


def _cast_timestamp(text: pa.Array, kind: ColumnType) -> pa.Array:
    text = pc.replace_substring_regex(text, r"(\.[0-9]{6})[0-9]+", r"\1")  # finer than a microsecond
    if kind is ColumnType.TIMESTAMP_UTC:
        is_date = pc.equal(pc.utf8_length(text), 10)
        text = pc.if_else(is_date, pc.binary_join_element_wise(text, "T00:00", ""), text)
        has_zone = pc.match_substring_regex(text, rf"{'[T ]'}.*(?:Z|[+-][0-9:]+)$")
        text = pc.if_else(has_zone, text, pc.binary_join_element_wise(text, "Z", ""))
    return text.cast(ARROW_TYPES[kind])
