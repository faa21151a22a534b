"""What a written value looks like: every trimmed, non-null text falls into exactly one category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc


class Category(StrEnum):
    """Exclusive shapes of a text; `NESTED` only occurs in JSON."""

    INTEGER = "integer"
    """At most 18 digits, no padding, no plus sign: it survives the way to a number and back."""
    IDENTIFIER = "identifier"
    """Digits that a number would spoil: zero-padded, with a plus sign, or longer than 18."""
    DECIMAL = "decimal"
    DECIMAL_COMMA = "decimal_comma"
    BOOLEAN = "boolean"
    FLAG = "flag"
    """yes, no, y, n, t, f: booleans only where the whole column says so (NO is also a country)."""
    DATE = "date"
    TIMESTAMP = "timestamp"
    ZONED = "zoned"
    MISSING = "missing"
    """Words that stand for nothing in a typed column, and for themselves in a text column."""
    NESTED = "nested"
    TEXT = "text"


YEAR = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
DATE = (
    rf"(?:{YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    rf"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|{LEAP_YEAR}-02-29)"
)
CLOCK = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"

PATTERNS: dict[Category, str] = {
    Category.INTEGER: r"-?(?:0|[1-9][0-9]{0,17})",
    Category.IDENTIFIER: r"(?:-?0[0-9]+|\+[0-9]+|-?[1-9][0-9]{18,})",
    # Bounded digits and exponent: what matches is a finite double.
    Category.DECIMAL: r"[+-]?(?:[0-9]{1,40}\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?"
    r"|[+-]?[0-9]{1,40}[eE][+-]?[0-9]{1,2}",
    Category.DECIMAL_COMMA: r"[+-]?[0-9]{1,40},[0-9]+",
    Category.DATE: DATE,
    Category.TIMESTAMP: DATE + CLOCK,
    Category.ZONED: DATE + CLOCK + ZONE,
}
TRUE_WORDS = tuple(w for word in ("true", "yes", "y", "t") for w in {word: 0, word.title(): 0, word.upper(): 0})
WORDS: dict[Category, tuple[str, ...]] = {
    Category.BOOLEAN: ("true", "True", "TRUE", "false", "False", "FALSE"),
    Category.FLAG: (
        *("yes", "Yes", "YES", "no", "No", "NO"),
        *("y", "Y", "n", "N", "t", "T", "f", "F"),
    ),
    Category.MISSING: ("NA", "na", "None", "none", "NONE", "NaN", "nan", "NAN", "-", "--"),
}
STARTS_LIKE_A_NUMBER = r"^[-+.0-9]"


def _is_word(text: pa.Array, categories: Iterable[Category]) -> pa.Array:
    words = [word for category in categories for word in WORDS[category]]
    return pc.is_in(text, value_set=pa.array(words, pa.string()))


def is_any(text: pa.Array, categories: Sequence[Category]) -> pa.Array:
    """Boolean mask: which texts fall into one of `categories`; null where the text is null."""
    patterns = [PATTERNS[category] for category in categories if category in PATTERNS]
    worded = [category for category in categories if category in WORDS]
    mask = pc.match_substring_regex(text, f"^(?:{'|'.join(patterns)})$") if patterns else None
    if worded:
        words = pc.if_else(pc.is_valid(text), _is_word(text, worded), pa.scalar(None, pa.bool_()))
        mask = words if mask is None else pc.or_(mask, words)
    if mask is None:
        raise ValueError("no category that has a pattern or words")
    return mask


def count_categories(text: pa.Array, favourite: Category | None = None) -> Counter[Category]:
    """How many of the non-null `text` fall into each category; `favourite` is tried first, for speed."""
    rest = text.drop_null()
    counts: Counter[Category] = Counter()

    def take(category: Category) -> None:
        nonlocal rest
        mask = is_any(rest, (category,))
        found = pc.sum(mask).as_py() or 0
        if found:
            counts[category] += found
            rest = rest.filter(pc.invert(mask))

    if favourite is not None and (favourite in PATTERNS or favourite in WORDS):
        take(favourite)
    for category in WORDS:
        if len(rest) and category is not favourite:
            take(category)
    if len(rest):
        numeric = pc.match_substring_regex(rest, STARTS_LIKE_A_NUMBER)
        found = pc.sum(numeric).as_py() or 0
        counts[Category.TEXT] += len(rest) - found
        rest = rest.filter(numeric) if found else rest.slice(0, 0)
        for category in PATTERNS:
            if len(rest) and category is not favourite:
                take(category)
        counts[Category.TEXT] += len(rest)
    return +counts
