"""Numbers and foreign text as a person reads them, safe inside HTML."""

from __future__ import annotations

from html import escape
from typing import Any

_INVISIBLE = {code: chr(0x2400 + code) for code in range(32)} | {
    0x7F: "␡",
    # Direction marks could make the page read differently from what it says.
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C), "�"),
    **dict.fromkeys(range(0xD800, 0xE000), "�"),
}


def text(value: object, chars_max: int | None = None) -> str:
    """`value` escaped; cut to `chars_max` with an ellipsis; control characters made visible."""
    plain = str(value).translate(_INVISIBLE)
    if chars_max is not None and len(plain) > chars_max:
        plain = plain[: chars_max - 1] + "…"
    return escape(plain, quote=True)


def number(value: Any) -> str:
    """Grouped integers, doubles at six digits, other values as they are; a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text(value, 40).replace("T", " ")
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e12):
        return f"{int(value):,}"
    short = f"{value:,.6g}"
    return short if "e" in short else f"{value:,.{max(0, 6 - len(str(int(abs(value)))))}f}".rstrip("0").rstrip(".")


def axis_end(value: Any) -> str:
    """As `number`, but of a time only what fits below a chart: minutes are enough."""
    return text(value[:16].replace("T", " ")) if isinstance(value, str) else number(value)


def percent(share: float) -> str:
    """A share of 1; neither 0 % nor 100 % unless it is exactly that."""
    if share in {0, 1}:
        return f"{share:.0%}"
    if share < 0.001:
        return "<0.1%"
    return ">99.9%" if share > 0.999 else f"{share:.1%}"


def size(count: int) -> str:
    """Bytes in binary units."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} GiB"
