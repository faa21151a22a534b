"""From JSON to frozen dataclasses: strict about what is known, blind to what is new."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import Any, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from objproc_client.errors import ProtocolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said; `raw` also keeps the fields this version does not know."""

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def lift(cls, raw: object) -> object:
        """Bring a shorter spelling of this shape into its full one."""
        return raw

    @classmethod
    def of(cls, raw: object, where: str = "") -> Self:
        """Read the shape out of JSON; ProtocolError names the field that does not fit."""
        return read(cls, raw, where or cls.__name__)


A = TypeVar("A", bound=Answer)
resolved_hints: dict[type[Answer], dict[str, Any]] = {}


def hints_of(shape: type[Answer]) -> dict[str, Any]:
    """Resolve the annotations of a shape, once."""
    if shape not in resolved_hints:
        resolved_hints[shape] = get_type_hints(shape)
    return resolved_hints[shape]


def read(shape: type[A], raw: object, where: str) -> A:
    """Build one shape; unknown fields stay in `raw`, known ones must fit."""
    lifted = shape.lift(raw)
    if not isinstance(lifted, Mapping):
        raise ProtocolError(f"{where} is no JSON object")
    values: dict[str, Any] = {"raw": lifted}
    for known in fields(shape):
        if known.name == "raw":
            continue
        if known.name in lifted:
            values[known.name] = fit(hints_of(shape)[known.name], lifted[known.name], f"{where}.{known.name}")
        elif known.default is MISSING and known.default_factory is MISSING:
            raise ProtocolError(f"{where} has no {known.name!r}")
    return shape(**values)


def fit(hint: Any, value: object, where: str) -> object:
    """Fit one JSON value to its annotation."""
    if hint is Any:
        return value
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        if value is None and types.NoneType in arguments:
            return None
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return fit(inner, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(fit(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if isinstance(hint, type) and issubclass(hint, Answer):
        return read(hint, value, where)
    return fit_scalar(origin or hint, value, where)


def fit_scalar(hint: type, value: object, where: str) -> object:
    """Fit a text, number, truth value, time or mapping."""
    if hint is datetime and isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ProtocolError(f"{where} is no RFC 3339 time: {value!r}") from None
    if hint is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, hint):
        raise ProtocolError(f"{where} is {type(value).__name__}, not {hint.__name__}")
    return value
