"""`objproc watch`: follow one object until it is over."""

from __future__ import annotations

from argparse import Namespace

from objproc_client.answers import FeedEvent, Progress
from objproc_client.client import Client
from objproc_client.command import exits
from objproc_client.command.audience import reporter_for
from objproc_client.command.objects import object_id_of
from objproc_client.command.reporters import Ending
from objproc_client.command.screen import Screen


def watch(args: Namespace, screen: Screen) -> int:
    """Follow an object; the exit code tells how it ended."""
    with Client(args.url) as client:
        object_id = object_id_of(client, args.id)
        try:
            state = follow(client, object_id, args, screen)
        except KeyboardInterrupt:
            screen.note(f"\nThe work continues on the server; follow with `objproc watch {object_id}`.")
            return exits.INTERRUPTED
    if state == "COMPLETED":
        return exits.COMPLETED
    if state != "DELETED":
        screen.note(f"Look closer with `objproc show {object_id}`, run again with `objproc retry {object_id}`.")
    return exits.FAILED


def follow(client: Client, object_id: str, args: Namespace, screen: Screen) -> str:
    """Report every event and return the state in the end."""
    last: FeedEvent | None = None
    with reporter_for(screen) as reporter:
        for event in client.watch(object_id, args.last_event_id):
            screen.emit(event.raw)
            reporter.happened(args.id, event)
            last = event
        if last is not None and last.state is not None and last.is_last:
            progress = Progress(object_id=object_id, identifier=args.id, state=last.state)
        else:  # --last-event-id named the last event, or one after it
            progress = client.progress(object_id)
        reporter.ended(Ending(name=args.id, object_id=object_id, progress=progress))
    return progress.state
