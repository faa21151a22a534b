"""Names and where they lead."""

from __future__ import annotations

import uuid

from objproc.domain.ids import OperationType, content_id, derived_id, object_id_at, partition_of


def test_an_object_id_is_a_uuid_of_version_seven_with_its_time_in_front() -> None:
    made = uuid.UUID(object_id_at(0x0123456789AB, b"\xff" * 10))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 0x0123456789AB


def test_chance_beyond_ten_bytes_is_not_used() -> None:
    assert object_id_at(1, bytes(10)) == object_id_at(1, bytes(10) + b"more")


def test_a_derived_id_is_a_uuid_of_version_eight_and_always_the_same() -> None:
    made = uuid.UUID(derived_id("key", "default", "k"))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert derived_id("key", "default", "k") == str(made)


def test_derived_ids_of_different_names_differ() -> None:
    names = [("key", "a", "b"), ("key", "ab", ""), ("key", "", "ab"), ("content", "a", "b")]
    assert len({derived_id(*name) for name in names}) == len(names)
    assert content_id("a", "b") == derived_id("content", "a", "b")


def test_the_partition_of_a_known_object_never_moves() -> None:
    assert partition_of("01980000-0000-7000-8000-000000000001", 8) == 7


def test_the_built_in_operations_are_named_as_users_know_them() -> None:
    assert [kind.value for kind in OperationType] == ["validate", "transform", "enrich", "analyze", "export"]
