"""What holds for every name."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from objproc.domain.ids import content_id, derived_id, object_id_at, partition_of
from objproc.domain.limits import PARTITIONS_MAX

MILLISECONDS = st.integers(0, 2**48 - 1)
CHANCE = st.binary(min_size=10, max_size=10)


@given(st.uuids().map(str) | st.text(), st.integers(1, PARTITIONS_MAX))
def test_a_partition_is_in_range_and_always_the_same(object_id: str, partitions: int) -> None:
    partition = partition_of(object_id, partitions)
    assert partition in range(partitions)
    assert partition == partition_of(object_id, partitions)


@given(MILLISECONDS, CHANCE)
def test_an_object_id_is_a_valid_uuid_of_version_seven(unix_ms: int, chance: bytes) -> None:
    made = uuid.UUID(object_id_at(unix_ms, chance))
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, unix_ms)


@given(MILLISECONDS, MILLISECONDS, CHANCE, CHANCE)
def test_object_ids_sort_by_time(one_ms: int, other_ms: int, one: bytes, other: bytes) -> None:
    if one_ms != other_ms:
        assert (object_id_at(one_ms, one) < object_id_at(other_ms, other)) is (one_ms < other_ms)


@given(MILLISECONDS, st.sets(CHANCE, min_size=2, max_size=2))
def test_object_ids_keep_the_chance_they_are_made_of(unix_ms: int, chances: set[bytes]) -> None:
    # 74 of the 80 bits are kept: ids differ unless the chances differ in the six others only
    one, other = (int.from_bytes(chance, "big") for chance in chances)
    kept = (0xFFF << 68) | ((1 << 62) - 1)
    assert (object_id_at(unix_ms, one.to_bytes(10, "big")) == object_id_at(unix_ms, other.to_bytes(10, "big"))) is (
        one & kept == other & kept
    )


@given(st.text(), st.text(), st.text())
def test_a_derived_id_is_a_valid_uuid_and_always_the_same(kind: str, tenant: str, name: str) -> None:
    made = derived_id(kind, tenant, name)
    assert uuid.UUID(made).version == 8
    assert made == derived_id(kind, tenant, name)


@given(st.text(), st.text())
def test_a_content_never_shares_its_id_with_an_idempotency_key(tenant: str, name: str) -> None:
    assert content_id(tenant, name) != derived_id("object", tenant, name)
