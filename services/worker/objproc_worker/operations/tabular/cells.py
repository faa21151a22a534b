"""The cells of one column in one batch: text that can be judged, or values that have a type already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from objproc_worker.operations.tabular.categories import Category, count_categories, is_any
from objproc_worker.operations.tabular.column_types import ColumnType, accepted_categories, cast_text
from objproc_worker.operations.tabular.layout import Column


class Cells(Protocol):
    """One column of a batch. `bad` is a mask without nulls."""

    def count(self, favourite: Category | None) -> Counter[Category]: ...

    def bad(self, column: Column) -> pa.Array: ...

    def nulls(self, column: Column) -> int: ...

    def filter(self, mask: pa.Array) -> Cells: ...

    def values(self, column: Column) -> pa.Array: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Well-formed rows; `numbers` are their 1-based numbers among all rows of the source."""

    numbers: Sequence[int]
    columns: list[Cells]
    bytes_read: int

    @property
    def rows(self) -> int:
        return len(self.numbers)


def normalise_text(text: pa.Array, null_values: pa.Array) -> pa.Array:
    """Trimmed, and null where nothing, or one of `null_values`, is left."""
    text = pc.utf8_trim_whitespace(text)
    is_null = pc.is_in(text, value_set=null_values)
    return pc.if_else(is_null, pa.scalar(None, pa.string()), text) if pc.any(is_null).as_py() else text


def _count_missing(text: pa.Array, column: Column) -> int:
    """Texts such as `NA` that are nulls, because the column has a type."""
    if not column.missing or accepted_categories(column.type, column.decimal_comma) is None:
        return 0
    return pc.sum(is_any(text, (Category.MISSING,))).as_py() or 0


class TextCells:
    """Text of a CSV column; normalised when somebody looks at it, which for most columns nobody does twice."""

    def __init__(self, raw: pa.Array, null_values: pa.Array) -> None:
        self._raw = raw
        self._null_values = null_values

    @cached_property
    def text(self) -> pa.Array:
        return normalise_text(self._raw, self._null_values)

    def count(self, favourite: Category | None) -> Counter[Category]:
        return count_categories(self.text, favourite)

    def bad(self, column: Column) -> pa.Array:
        accepted = accepted_categories(column.type, column.decimal_comma)
        if accepted is None:
            return pa.repeat(pa.scalar(False), len(self.text))
        good = is_any(self.text, (*accepted, Category.MISSING))
        return pc.invert(pc.fill_null(good, True))

    def nulls(self, column: Column) -> int:
        return int(self.text.null_count) + _count_missing(self.text, column)

    def filter(self, mask: pa.Array) -> TextCells:
        return TextCells(self._raw.filter(mask), self._null_values)

    def values(self, column: Column) -> pa.Array:
        return _typed(self.text, column)


def _typed(text: pa.Array, column: Column) -> pa.Array:
    if column.missing and accepted_categories(column.type, column.decimal_comma) is not None:
        is_missing = pc.fill_null(is_any(text, (Category.MISSING,)), False)
        text = pc.if_else(is_missing, pa.scalar(None, pa.string()), text)
    return cast_text(text, column.type, column.decimal_comma)


CODES = {category: code for code, category in enumerate(Category)}
FROM_STRINGS = {Category.DATE, Category.TIMESTAMP, Category.ZONED, Category.MISSING, Category.TEXT}
"""What a JSON string can be: a string of digits was written as a string on purpose."""


@dataclass(frozen=True, slots=True)
class MarkedCells:
    """JSON values as text, with the category their JSON type gave them; TEXT marks a string."""

    text: pa.Array
    codes: pa.Array

    def _strings(self) -> pa.Array:
        return pc.equal(self.codes, CODES[Category.TEXT])

    def count(self, favourite: Category | None) -> Counter[Category]:
        counts: Counter[Category] = Counter()
        for entry in pc.value_counts(self.codes.filter(pc.is_valid(self.text))).to_pylist():
            category = tuple(Category)[entry["values"]]
            if category is not Category.TEXT:
                counts[category] += entry["counts"]
        strings = self.text.filter(self._strings())
        for category, count in count_categories(strings, favourite).items():
            counts[category if category in FROM_STRINGS else Category.TEXT] += count
        return counts

    def bad(self, column: Column) -> pa.Array:
        accepted = accepted_categories(column.type, column.decimal_comma)
        if accepted is None:
            return pa.repeat(pa.scalar(False), len(self.text))
        allowed = pa.array([CODES[c] for c in accepted], pa.int8())
        good = pc.is_in(self.codes, value_set=allowed)
        in_strings = tuple(c for c in (*accepted, Category.MISSING) if c in FROM_STRINGS)
        as_string = pc.and_(self._strings(), pc.fill_null(is_any(self.text, in_strings), False))
        return pc.invert(pc.or_(pc.is_null(self.text), pc.or_(good, as_string)))

    def nulls(self, column: Column) -> int:
        return int(self.text.null_count) + _count_missing(self.text.filter(self._strings()), column)

    def filter(self, mask: pa.Array) -> MarkedCells:
        return MarkedCells(self.text.filter(mask), self.codes.filter(mask))

    def values(self, column: Column) -> pa.Array:
        if column.type is ColumnType.JSON:
            return self._as_json()
        return _typed(self.text, column)

    def _as_json(self) -> pa.Array:
        """Scalars of a JSON column become JSON too, so every value of it parses."""
        quoted = pc.and_(self._strings(), pc.is_valid(self.text))
        if not pc.any(quoted).as_py():
            return self.text
        return pa.array(
            [
                orjson.dumps(t).decode() if q else t
                for t, q in zip(self.text.to_pylist(), quoted.to_pylist(), strict=True)
            ],
            pa.string(),
        )


@dataclass(frozen=True, slots=True)
class TypedCells:
    """Values that came with their type, converted already."""

    array: pa.Array

    def count(self, favourite: Category | None) -> Counter[Category]:
        return Counter({Category.TEXT: len(self.array) - self.array.null_count})

    def bad(self, column: Column) -> pa.Array:
        return pa.repeat(pa.scalar(False), len(self.array))

    def nulls(self, column: Column) -> int:
        return int(self.array.null_count)

    def filter(self, mask: pa.Array) -> TypedCells:
        return TypedCells(self.array.filter(mask))

    def values(self, column: Column) -> pa.Array:
        return self.array
