"""What a client knows for sure: what was acknowledged to it, and what it saw."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec


@dataclass(kw_only=True)
class Acknowledged:
    """An object whose submission was answered 200 or 202. Times are Unix seconds."""

    object_id: str
    kind: str
    sent_at: float
    acknowledged_at: float
    key: str | None = None


@dataclass(kw_only=True)
class Order:
    """A cancel, retry or delete that was answered 200 or 202; `command_id` where its effect was still to come."""

    object_id: str
    verb: str
    command_id: str | None
    sent_at: float
    acknowledged_at: float


@dataclass(kw_only=True)
class Sighting:
    """What one watcher saw of an object, across all its connections."""

    object_id: str
    events: list[tuple[int, str]] = field(default_factory=list)
    connections: int = 0
    is_over: bool = False


@dataclass(kw_only=True)
class Journal:
    """Everything one client was told."""

    objects: dict[str, Acknowledged] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    """By idempotency key: the object id of each answer."""
    orders: list[Order] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    broken_promises: list[tuple[str, str]] = field(default_factory=list)
    """(object id, what) of answers that must never come, such as 404 for an acknowledged object."""
    forgiven: list[tuple[float, float]] = field(default_factory=list)
    """Spans in which a failover took acknowledged writes away."""

    def acknowledge(self, object_id: str, kind: str, sent_at: float, key: str | None) -> None:
        """Note an answered submission; a repeat adds its answer to the key only."""
        if key is not None:
            self.keys.setdefault(key, []).append(object_id)
        entry = Acknowledged(object_id=object_id, kind=kind, sent_at=sent_at, acknowledged_at=time.time(), key=key)
        self.objects.setdefault(object_id, entry)

    def is_forgiven(self, entry: Acknowledged | Order) -> bool:
        """Whether a failover may have taken this away: it became durable at some time between call and answer."""
        return any(entry.sent_at <= last and first <= entry.acknowledged_at for first, last in self.forgiven)

    def save(self, path: Path) -> None:
        """Write it to a file, for a later `verify`."""
        path.write_bytes(msgspec.json.encode(self))

    @classmethod
    def load(cls, path: Path) -> Journal:
        """Read what `save` wrote."""
        return msgspec.json.decode(path.read_bytes(), type=cls)
