"""Names: object ids, tenants, built-in operations; and which partition an object lives in."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from enum import StrEnum

DEFAULT_TENANT = "default"
SYSTEM_TENANT = "system"


class OperationType(StrEnum):
    """Names of the built-in operations."""

    VALIDATE = "validate"
    TRANSFORM = "transform"
    ENRICH = "enrich"
    ANALYZE = "analyze"
    EXPORT = "export"


def object_id_at(unix_ms: int, chance: bytes) -> str:
    """A UUIDv7 made of milliseconds since 1970 and ten bytes of chance (RFC 9562, section 5.7)."""
    tail = int.from_bytes(chance[:10], "big")
    rand_a, rand_b = tail >> 68, tail & ((1 << 62) - 1)
    return str(uuid.UUID(int=(unix_ms << 80) | (7 << 76) | ((rand_a & 0xFFF) << 64) | (2 << 62) | rand_b))


def derived_id(kind: str, tenant: str, name: str) -> str:
    """A UUIDv8 that is always the same for (kind, tenant, name): a repeated command names the same object."""
    digest = hashlib.sha256("\0".join((kind, tenant, name)).encode()).digest()
    number = int.from_bytes(digest[:16], "big") & ~(0xF << 76) & ~(3 << 62)
    return str(uuid.UUID(int=number | (8 << 76) | (2 << 62)))


def content_id(tenant: str, identifier: str) -> str:
    """The id under which the log keeps what was uploaded for `identifier`."""
    return derived_id("content", tenant, identifier)


def partition_record_id(partition: int) -> str:
    """The id under which a partition's log keeps what befell the log itself."""
    return derived_id("partition", SYSTEM_TENANT, str(partition))


def partition_of(object_id: str, partitions: int) -> int:
    """The partition of an object: fixed for its life, so `partitions` never changes."""
    return zlib.crc32(object_id.encode()) % partitions
