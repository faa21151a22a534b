"""Which columns hold personal data: by what their values are, and by what their name says."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from objproc_worker.operations.tabular.column_types import ColumnType
from objproc_worker.operations.tabular.logical_types import RECOGNISERS, LogicalType

SHARE_MIN: dict[LogicalType, float] = {
    # One address is enough; the looser patterns must hold for half of the values.
    LogicalType.EMAIL: 0.0,
    LogicalType.IBAN: 0.0,
    LogicalType.PAYMENT_CARD: 0.5,
    LogicalType.IPV4: 0.5,
    LogicalType.IPV6: 0.5,
    LogicalType.MAC_ADDRESS: 0.5,
    LogicalType.PHONE: 0.5,
}
_START, _END = r"(?:^|_)", r"(?:_|$)"
NAMES: dict[str, re.Pattern[str]] = {
    kind: re.compile(_START + f"(?:{words})" + _END)
    for kind, words in {
        "email": r"e_?mails?|mail",
        "phone": r"(?:tele)?phone(?:_?(?:no|nr|number))?|tel|mobile|cell|fax|telefon|handy",
        "person_name": r"(?:first|last|full|given|family|middle|maiden|customer|user|person|contact|employee|"
        r"patient|client|owner)_?name|surname|forename|vorname|nachname|nom_de_famille|prenom",
        "postal_address": r"street|(?:street|postal|home|billing|shipping|mailing)_?address(?:_?line)?|address"
        r"(?:_?line)?(?:_?[12])?|strasse|anschrift|adresse",
        "birth_date": r"birth(?:_?(?:date|day))?|date_?of_?birth|dob|geburtsdatum|geburtstag",
        "national_id": r"ssn|social_?security(?:_?(?:no|number))?|passport(?:_?(?:no|number))?|national_?id|"
        r"tax_?id|nino?|steuer_?id|personnummer",
        "bank_account": r"iban|bank_?account|account_?(?:no|number)|konto(?:nummer)?",
        "payment_card": r"credit_?card|card_?(?:no|nr|number)|pan",
        "ip_address": r"ip|ip_?addr(?:ess)?|client_?ip|remote_?addr",
    }.items()
}
NOT_PERSONAL_NAMES = re.compile(r"(?:^|_)(?:mac|email|web|ip)_?address(?:_|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """Why a column counts as personal; `share` is of its non-null values, None where only the name says so."""

    kind: str
    basis: str
    validator: str
    share: float | None

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "basis": self.basis, "validator": self.validator, "share": self.share}


def find_personal_data(
    name: str, column_type: ColumnType, found: Counter[LogicalType], emails_inside: int, values: int
) -> PersonalData | None:
    """The strongest reason to call the column personal; values speak louder than names."""
    if not values:
        return None
    for kind, share_min in SHARE_MIN.items():
        share = found[kind] / values
        if share > share_min or (share_min and share >= share_min):
            validator = RECOGNISERS[kind].validator
            return PersonalData(kind=kind, basis="values", validator=validator, share=round(share, 6))
    if emails_inside:
        share = round(emails_inside / values, 6)
        return PersonalData(kind="email", basis="inside values", validator="pattern", share=share)
    kind_by_name = personal_name(name)
    if kind_by_name and column_type is not ColumnType.BOOLEAN:
        return PersonalData(kind=kind_by_name, basis="column name", validator="none", share=None)
    return None


def personal_name(name: str) -> str | None:
    """The kind of personal data a column name announces."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    snake = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    for kind, pattern in NAMES.items():
        if pattern.search(snake) and not (kind == "postal_address" and NOT_PERSONAL_NAMES.search(snake)):
            return kind
    return None
