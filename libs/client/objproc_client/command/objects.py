"""The commands about objects: list, show, events, cancel, retry, delete."""

from __future__ import annotations

from argparse import Namespace
from itertools import islice
from uuid import UUID

from objproc_client.answers import ObjectDetails, Outcome
from objproc_client.calls import PAGE_ITEMS
from objproc_client.client import Client
from objproc_client.command import exits
from objproc_client.command.screen import Screen, percent, size, took


def object_id_of(client: Client, reference: str) -> str:
    """Find the object id behind an id or an identifier (its newest run)."""
    try:
        return str(UUID(reference))
    except ValueError:
        return client.get_object(reference).object_id


def list_objects(args: Namespace, screen: Screen) -> int:
    """List the newest objects that fit the filters."""
    with Client(args.url) as client:
        page_items = min(args.limit + 1, PAGE_ITEMS)
        found = list(islice(client.iterate_objects(args.state, args.identifier, page_items), args.limit + 1))
    shown = found[: args.limit]
    for item in shown:
        screen.emit(item.raw)
    screen.table(
        ("OBJECT ID", "IDENTIFIER", "STATE", "PROGRESS", "SUBMITTED"),
        [(item.object_id, item.identifier, item.state, percent(item.progress), item.submitted_at) for item in shown],
    )
    if len(found) > len(shown):
        screen.note(f"There are more: --limit {args.limit * 10} shows them.")
    return exits.COMPLETED


def show(args: Namespace, screen: Screen) -> int:
    """Show everything about one object."""
    with Client(args.url) as client:
        found = client.get_object(args.id)
    screen.emit(found.raw)
    screen.pairs(
        {
            "object id": found.object_id,
            "identifier": found.identifier,
            "state": f"{found.state} ({percent(found.progress)})",
            "version": found.version,
            "submitted": found.submitted_at,
            "finished": found.finished_at,
            **{name: value for name in ("error", "tags", "metadata", "source") if (value := getattr(found, name))},
        }
    )
    screen.say()
    show_operations(found, screen)
    if found.artifacts:
        screen.say()
        screen.table(
            ("ARTIFACT", "OPERATION", "TYPE", "SIZE", "SHA-256"),
            [(item.name, item.operation, item.media_type, size(item.size), item.sha256) for item in found.artifacts],
        )
    return exits.COMPLETED


def show_operations(found: ObjectDetails, screen: Screen) -> None:
    """Write the table of operations."""
    screen.table(
        ("OPERATION", "STATE", "ATTEMPT", "PROGRESS", "STARTED", "TOOK", "ERROR"),
        [
            (
                item.operation,
                f"{item.state} (cached)" if item.cached else item.state,
                item.attempt,
                percent(item.progress),
                item.started_at,
                took(item.started_at, item.finished_at),
                item.error,
            )
            for item in found.operations
        ],
    )


def events(args: Namespace, screen: Screen) -> int:
    """Show an object's history."""
    with Client(args.url) as client:
        history = list(client.events(object_id_of(client, args.id)))
    for event in history:
        screen.emit(event.raw)
    screen.table(
        ("VERSION", "AT", "EVENT", "ACTOR", "DATA"),
        [(event.version, event.at, event.type, event.actor, event.data) for event in history],
    )
    return exits.COMPLETED


def cancel(args: Namespace, screen: Screen) -> int:
    """Stop an object."""
    with Client(args.url) as client:
        return tell(client.cancel(object_id_of(client, args.id)), screen)


def retry(args: Namespace, screen: Screen) -> int:
    """Run again what failed."""
    with Client(args.url) as client:
        return tell(client.retry(object_id_of(client, args.id)), screen)


def delete(args: Namespace, screen: Screen) -> int:
    """Delete content and artifacts of an object."""
    with Client(args.url) as client:
        return tell(client.delete(object_id_of(client, args.id), force=args.force), screen)


def tell(outcome: Outcome, screen: Screen) -> int:
    """Write what became of a command."""
    progress = outcome.progress
    screen.emit(progress.raw)
    suffix = "" if outcome.is_decided else " (accepted, not decided yet: follow with `objproc watch`)"
    screen.say(f"{progress.identifier} ({progress.object_id}): {progress.state}{suffix}")
    return exits.COMPLETED
