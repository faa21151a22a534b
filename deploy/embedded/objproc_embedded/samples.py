"""Sample objects, the same at every run: `python -m objproc_embedded.samples DIR`."""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20_240_229
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
ORDERS = 12_000
CUSTOMERS = 2_500
VISITS = 4_000
READINGS = 20_000
INVOICES = 400
FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Eun-ji",
    "Fatima",
    "Gökhan",
    "Hana",
    "Íris",
    "José",
    "Kwame",
    "Łucja",
)
LAST_NAMES = ("Andersson", "Brânză", "Çelik", "Dubois", "Eze", "Fischer", "García", "Huang", "Ito", "Jansen")
COUNTRIES = ("DE", "FR", "SE", "PL", "PT", "JP", "KR", "NG", "BR", "US")
PRODUCTS = ("kettle", "lamp", "chair", "notebook", "backpack", "headphones", "desk", "mug", "clock, wall", 'screen 27"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One object of the demo; `write` fills the file, `mend` puts a broken one right."""

    name: str
    about: str
    write: Callable[[Path, random.Random], None]
    mend: Callable[[Path, random.Random], None] | None = None
    is_messy: bool = False


def write_samples(folder: Path) -> None:
    """Write every sample; the mended ones are in `mended` below."""
    (folder / "mended").mkdir(parents=True, exist_ok=True)
    for sample in SAMPLES:
        sample.write(folder / sample.name, _chance(sample))
        if sample.mend:
            sample.mend(folder / "mended" / sample.name, _chance(sample))


def write_orders(path: Path, chance: random.Random) -> None:
    """Clean: numbers, dates, commas and quotes inside quoted texts."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["order_id", "customer_email", "country", "product", "quantity", "price", "is_gift", "ordered_at"]
        )
        for number in range(1, ORDERS + 1):
            first, last = _person(chance)
            rows.writerow(
                [
                    number,
                    _email(first, last, number),
                    chance.choice(COUNTRIES),
                    chance.choice(PRODUCTS),
                    min(int(chance.expovariate(0.6)) + 1, 40),
                    f"{chance.lognormvariate(3.2, 0.7):.2f}",
                    "true" if chance.random() < 0.12 else "false",
                    _moment(chance).isoformat().replace("+00:00", "Z"),
                ]
            )


def write_customers(path: Path, chance: random.Random) -> None:
    """Messy: semicolons, Windows-1252 bytes, ragged rows, impossible values, a quote that stands alone."""
    lines = ["customer_id;name;email;born;city;credit"]
    for number in range(1, CUSTOMERS + 1):
        first, last = chance.choice(("Ada", "Björn", "Chloé", "José")), chance.choice(("Dubois", "García", "Fischer"))
        born = date(1940, 1, 1) + timedelta(days=chance.randrange(24_000))
        fields = [
            str(number),
            f"{first} {last}",
            _email(first, last, number),
            born.isoformat(),
            chance.choice(("Göteborg", "Málaga", "Köln", "Orléans", "")),
            f"{chance.gauss(2_000, 600):.2f}",
        ]
        lines.append(";".join(_damage(fields, chance)))
    path.write_bytes("\r\n".join(lines).encode("cp1252"))


def write_visits(path: Path, chance: random.Random) -> None:
    """NDJSON with nested values and keys that are not always there."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, VISITS + 1):
            visit: dict[str, Any] = {
                "visit": f"v{number:06d}",
                "at": _moment(chance).isoformat(),
                "address": f"192.0.2.{chance.randrange(256)}",
                "page": {"path": f"/products/{chance.choice(('lamp', 'desk', 'mug'))}", "depth": chance.randrange(5)},
                "events": [chance.choice(("view", "scroll", "click")) for _ in range(chance.randrange(6))],
                "seconds": round(chance.expovariate(1 / 40), 1),
            }
            if chance.random() < 0.3:
                visit["referrer"] = "https://example.org/" + chance.choice(("news", "search", "friends"))
            file.write(json.dumps(visit, ensure_ascii=False) + "\n")


def write_readings(path: Path, chance: random.Random) -> None:
    """Parquet with integers, floats, booleans, texts, dates, timestamps, and nulls in some of them."""
    moments = [EPOCH + timedelta(minutes=number) for number in range(READINGS)]
    pq.write_table(
        pa.table(
            {
                "reading": pa.array(range(READINGS), pa.int64()),
                "station": pa.array((f"station-{chance.randrange(12):02d}" for _ in moments), pa.string()),
                "at": pa.array(moments, pa.timestamp("us", "UTC")),
                "day": pa.array((moment.date() for moment in moments), pa.date32()),
                "celsius": pa.array((_sometimes(chance, chance.gauss(11, 7)) for _ in moments), pa.float64()),
                "humidity": pa.array((_sometimes(chance, chance.randrange(20, 100)) for _ in moments), pa.int16()),
                "is_calibrated": pa.array((chance.random() < 0.9 for _ in moments), pa.bool_()),
            }
        ),
        path,
        compression="zstd",
    )


def write_invoices(path: Path, chance: random.Random) -> None:
    """A JSON array of invoices."""
    path.write_text(json.dumps(list(_invoices(chance)), ensure_ascii=False, indent=1), encoding="utf-8")


def write_torn_invoices(path: Path, chance: random.Random) -> None:
    """The same array, torn off in the middle, as after a broken transfer."""
    write_invoices(path, chance)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 5])


SAMPLES = (
    Sample(name="orders.csv", about=f"clean CSV, {ORDERS:,} rows", write=write_orders),
    Sample(
        name="customers.csv",
        about="messy CSV: ragged rows, impossible values, stray quotes, not UTF-8",
        write=write_customers,
        is_messy=True,
    ),
    Sample(name="visits.ndjson", about="NDJSON with nested values", write=write_visits),
    Sample(name="readings.parquet", about="Parquet with seven types of columns", write=write_readings),
    Sample(
        name="invoices.json",
        about="JSON torn off in the middle, mended after it failed",
        write=write_torn_invoices,
        mend=write_invoices,
    ),
)


def _chance(sample: Sample) -> random.Random:
    return random.Random(f"{SEED} {sample.name}")


def _person(chance: random.Random) -> tuple[str, str]:
    return chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)


def _email(first: str, last: str, number: int) -> str:
    local = f"{first}.{last}".encode("ascii", "ignore").decode().lower()
    return f"{local}{number}@example.com"


def _moment(chance: random.Random) -> datetime:
    return EPOCH + timedelta(seconds=chance.randrange(365 * 86_400))


def _sometimes(chance: random.Random, value: float) -> float | None:
    return None if chance.random() < 0.03 else round(value, 2)


def _damage(fields: list[str], chance: random.Random) -> list[str]:
    """One row in twelve has something wrong with it."""
    match chance.randrange(72):
        case 0:
            return fields[:-2]
        case 1:
            return [*fields, "one", "too many"]
        case 2:
            return [*fields[:3], "31st of February", *fields[4:]]
        case 3:
            return [*fields[:5], "lots"]
        case 4:
            return ["n/a?", *fields[1:]]
        case 5:
            return [fields[0], f'{fields[1]} "the kid"', *fields[2:]]
    return fields


def _invoices(chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(1, INVOICES + 1):
        first, last = _person(chance)
        lines = [{"product": chance.choice(PRODUCTS), "quantity": chance.randrange(1, 9)} for _ in range(3)]
        issued = EPOCH.date() + timedelta(days=chance.randrange(365))
        yield {
            "invoice": f"INV-{number:05d}",
            "customer": {"name": f"{first} {last}", "country": chance.choice(COUNTRIES)},
            "issued": issued.isoformat(),
            "total": round(chance.lognormvariate(5, 0.8), 2),
            "is_paid": chance.random() < 0.8,
            "lines": lines,
        }


if __name__ == "__main__":
    write_samples(Path(sys.argv[1] if len(sys.argv) > 1 else "samples"))
