"""What users of the simulation want: plans, objects, and orders at their times."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from given import chain, content, dag
from objproc.domain.content import Content, PlannedOperation
from objproc.domain.ids import derived_id
from simulation.workers import DEFAULT, INLINE

TENANT = "default"
SHAPES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"split": (), "left": ("split",), "right": ("split",), "join": ("left", "right")},
    {"one": (), "two": (), "join": ("one", "two")},
    {"root": (), "a": ("root",), "b": ("root",), "c": ("root",)},
)


@dataclass(slots=True)
class Subject:
    """An object as its user thinks of it. Without a key, each try makes another object."""

    identifier: str
    plan: tuple[PlannedOperation, ...]
    key: str | None
    not_before_s: float | None
    is_watched: bool
    object_id: str = ""
    """The newest one that was acknowledged."""


@dataclass(frozen=True, slots=True)
class Order:
    """One thing a user does. `kind`: submit, cancel, retry, delete, force or store."""

    kind: str
    at_s: float
    subject: Subject
    fingerprint: str = "f"
    tries: int = 0


def new_id(chance: Random) -> str:
    """An id from the seed."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def content_number(number: int) -> Content:
    """One of a few contents."""
    return content(f"text-{number}")


def draw_plan(chance: Random) -> tuple[PlannedOperation, ...]:
    """A chain, a fan-out, a join."""
    more = {"attempts_max": chance.randint(1, 3), "deadline_ms": chance.choice((2500, 5000))}
    length = chance.randint(1, 4)
    plan = chain(*"abcd"[:length], **more) if chance.random() < 0.5 else dag(chance.choice(SHAPES), **more)
    return tuple(with_chance(planned, chance) for planned in plan)


def with_chance(planned: PlannedOperation, chance: Random) -> PlannedOperation:
    """In a pool, and with a fate."""
    return PlannedOperation(
        type=planned.type,
        requires=planned.requires,
        pool=INLINE if chance.random() < 0.4 else DEFAULT,
        attempts_max=planned.attempts_max,
        deadline_ms=planned.deadline_ms,
        params={"chance": chance.getrandbits(24)},
    )


def draw_subject(chance: Random, number: int) -> Subject:
    """An object to come."""
    key = f"key-{number}" if chance.random() < 0.5 else None
    return Subject(
        identifier=f"object-{number}",
        plan=draw_plan(chance),
        key=key,
        not_before_s=chance.uniform(0, 12) if chance.random() < 0.15 else None,
        is_watched=chance.random() < 0.4,
        object_id=derived_id("object", TENANT, key) if key else "",
    )


def draw_orders(chance: Random, until_s: float) -> list[Order]:
    """Everything users do in a schedule."""
    orders: list[Order] = []
    for number in range(chance.randint(1, 4)):
        subject = draw_subject(chance, number)
        begins_s = chance.uniform(0.0, until_s / 2)
        orders.append(Order("submit", begins_s, subject))
        while subject.key and chance.random() < 0.4:
            fingerprint = "f" if chance.random() < 0.8 else "g"
            orders.append(Order("submit", begins_s + chance.choice((0.0, 0.02, 4.0)), subject, fingerprint))
        for kind, likelihood in (("cancel", 0.2), ("delete", 0.15), ("force", 0.15), ("retry", 0.3), ("store", 0.15)):
            while chance.random() < likelihood:
                orders.append(Order(kind, begins_s + chance.choice((0.1, 1.0, 3.0, 9.0)) * chance.random(), subject))
    return orders


def not_before_of(subject: Subject) -> timedelta | None:
    """How long after noon the object may begin."""
    return timedelta(seconds=subject.not_before_s) if subject.not_before_s is not None else None
