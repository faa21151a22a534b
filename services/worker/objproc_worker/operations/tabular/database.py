"""DuckDB inside the bounds of a run: its threads, half of its memory, its scratch folder, no extensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_BYTES_MIN = 128 << 20


@contextmanager
def database(scratch: Path, *, threads: int, memory_bytes: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private database in memory that spills below `scratch`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": max(threads, 1),
        "memory_limit": f"{max(memory_bytes // 2, MEMORY_BYTES_MIN) >> 20}MiB",
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    try:
        yield connection
    finally:
        connection.close()


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
