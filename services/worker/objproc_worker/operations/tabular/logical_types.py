"""What texts mean beyond their type: patterns first, validators where a checksum or a parser exists."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from objproc_worker.operations.tabular.categories import DATE
from objproc_worker.operations.tabular.codes import COUNTRIES_ALPHA_2, COUNTRIES_ALPHA_3, CURRENCIES


class LogicalType(StrEnum):
    """In order of preference where a column fits several equally well."""

    EMAIL = "email"
    URL = "url"
    UUID = "uuid"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    MAC_ADDRESS = "mac_address"
    IBAN = "iban"
    PAYMENT_CARD = "payment_card"
    COUNTRY_CODE = "country_code"
    CURRENCY_CODE = "currency_code"
    HEX_COLOR = "hex_color"
    PHONE = "phone"


EMAIL = (
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}"
)
EMAIL_INSIDE = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}"
OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = rf"(?:{OCTET}\.){{3}}{OCTET}"
CARD = r"[2-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7}|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}"
PHONE_DIGITS = range(7, 16)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A pattern for the whole text and, where the pattern alone promises too much, a check of its matches."""

    pattern: str
    check: Callable[[str], bool] | None = None
    validator: str = "pattern"


def is_iban(text: str) -> bool:
    """ISO 13616: the rearranged digits are 1 modulo 97."""
    compact = text.replace(" ", "").upper()
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """The Luhn checksum over 13 to 19 digits."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = [d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(digits)]
    return 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0


def is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def is_phone(text: str) -> bool:
    """International (+), national (0) or grouped digits; 7 to 15 of them."""
    digits = sum(c.isdigit() for c in text)
    return digits in PHONE_DIGITS and (text[0] in "+0(" or digits < len(text))


RECOGNISERS: dict[LogicalType, Recogniser] = {
    LogicalType.EMAIL: Recogniser(EMAIL),
    LogicalType.URL: Recogniser(r"(?i:https?|ftp)://[^\s/$.?#][^\s]*"),
    LogicalType.UUID: Recogniser(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
    LogicalType.IPV4: Recogniser(IPV4),
    LogicalType.IPV6: Recogniser(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", is_ipv6, "parser"),
    LogicalType.MAC_ADDRESS: Recogniser(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"),
    LogicalType.IBAN: Recogniser(r"[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{1,4}){3,8}", is_iban, "mod-97 checksum"),
    LogicalType.PAYMENT_CARD: Recogniser(CARD, is_card, "Luhn checksum"),
    LogicalType.COUNTRY_CODE: Recogniser(
        r"[A-Z]{2,3}", lambda text: text in COUNTRIES_ALPHA_2 or text in COUNTRIES_ALPHA_3, "ISO 3166-1"
    ),
    LogicalType.CURRENCY_CODE: Recogniser(r"[A-Z]{3}", CURRENCIES.__contains__, "ISO 4217"),
    LogicalType.HEX_COLOR: Recogniser(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})"),
    LogicalType.PHONE: Recogniser(r"[+(]?[0-9][0-9 ()./-]{5,18}[0-9]", is_phone),
}
NOT_A_PHONE = rf"^(?:{IPV4}|{DATE}(?:[T ].*)?|{CARD}|[0-9]+\.[0-9]+)$"
HAS_DIGIT = r"[0-9]"


def recognise(texts: pa.Array, counts: pa.Array) -> Counter[LogicalType]:
    """How many values are of each logical type, `counts` being the frequency of each distinct text."""
    found: Counter[LogicalType] = Counter()
    for kind, recogniser in RECOGNISERS.items():
        mask = pc.match_substring_regex(texts, f"^(?:{recogniser.pattern})$")
        if kind is LogicalType.PHONE:
            mask = pc.and_not(mask, pc.match_substring_regex(texts, NOT_A_PHONE))
        if not pc.any(mask).as_py():
            continue
        matched = counts.filter(mask)
        if recogniser.check is not None:
            candidates = texts.filter(mask).to_pylist()
            matched = matched.filter(pa.array([recogniser.check(text) for text in candidates], pa.bool_()))
        found[kind] += pc.sum(matched).as_py() or 0
    return +found


def count_emails_inside(texts: pa.Array, counts: pa.Array) -> int:
    """How many values contain an email address anywhere."""
    mask = pc.match_substring(texts, "@")
    if not pc.any(mask).as_py():
        return 0
    texts, counts = texts.filter(mask), counts.filter(mask)
    return pc.sum(counts.filter(pc.match_substring_regex(texts, EMAIL_INSIDE))).as_py() or 0
