"""The commands about what operations left: artifacts, download."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from objproc_client.answers import Artifact
from objproc_client.client import Client
from objproc_client.command import exits
from objproc_client.command.objects import object_id_of
from objproc_client.command.screen import Screen, size
from objproc_client.download import safe_name


def artifacts(args: Namespace, screen: Screen) -> int:
    """List an object's artifacts."""
    with Client(args.url) as client:
        found = client.artifacts(object_id_of(client, args.id))
    for item in found:
        screen.emit(item.raw)
    screen.table(
        ("ARTIFACT", "OPERATION", "TYPE", "SIZE", "SHA-256"),
        [(item.name, item.operation, item.media_type, size(item.size), item.sha256) for item in found],
    )
    return exits.COMPLETED


def download(args: Namespace, screen: Screen) -> int:
    """Fetch one artifact, or all of them, checked against their digests."""
    with Client(args.url) as client:
        object_id = object_id_of(client, args.id)
        found = client.artifacts(object_id)
        chosen = [item for item in found if args.name in (None, item.name)]
        if not chosen:
            names = ", ".join(item.name for item in found) or "none"
            screen.note(f"There is no artifact {args.name or 'at all'} of {args.id}; there is: {names}.")
            return exits.FAILED
        for item, target in targets(chosen, args.to):
            path = client.download(object_id, item.name, target, sha256=item.sha256)
            screen.emit({"name": item.name, "path": str(path), "size": path.stat().st_size, "sha256": item.sha256})
            screen.say(str(path))
    return exits.COMPLETED


def targets(found: Sequence[Artifact], to: Path) -> list[tuple[Artifact, Path]]:
    """Give every artifact a file under `to`; those of one name go into their operations' folders."""
    counts = Counter(safe_name(item.name) for item in found)
    return [
        (
            item,
            to / safe_name(item.name)
            if counts[safe_name(item.name)] == 1
            else to / safe_name(item.operation or "") / safe_name(item.name),
        )
        for item in found
    ]
