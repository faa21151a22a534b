"""Every key, in one table. All keys of partition `k` carry the hash tag `{k}`: one Redis Cluster slot."""

from __future__ import annotations

GROUP = "workers"
"""Consumer group of the task streams."""

BODY = b"b"
"""The one field of every stream entry: an envelope of wire."""

SERVICES = "objproc:services"
"""Hash: instance id to its newest heartbeat."""

CATALOGUE = "objproc:catalogue"
"""Hash: operation name to what the workers announced of it."""


def commands(partition: int) -> str:
    """Stream, api to scheduler."""
    return f"objproc:{{{partition}}}:commands"


def results(partition: int) -> str:
    """Stream, workers to scheduler."""
    return f"objproc:{{{partition}}}:results"


def tasks(partition: int, pool: str) -> str:
    """Stream with the consumer group, scheduler to workers; entry ids are derived from state."""
    return f"objproc:{{{partition}}}:tasks:{pool}"


def events(partition: int) -> str:
    """Stream: the log; entry ids are `<seq>-0`, gapless."""
    return f"objproc:{{{partition}}}:events"


def progress(partition: int) -> str:
    """Capped stream, workers to projector."""
    return f"objproc:{{{partition}}}:progress"


def feed(partition: int) -> str:
    """Capped stream, projector to api; entry ids are `<seq>-<n>`."""
    return f"objproc:{{{partition}}}:feed"


def control(partition: int) -> str:
    """Capped stream, scheduler to workers: tasks that shall stop."""
    return f"objproc:{{{partition}}}:control"


def meta(partition: int) -> str:
    """Hash: epoch, commands_cursor, results_cursor, seq, hash, projected; reissue between a repair and its commit."""
    return f"objproc:{{{partition}}}:meta"


def pending(partition: int) -> str:
    """Hash: object id to `<command id><command>`, from its acceptance to its projection."""
    return f"objproc:{{{partition}}}:pending"


def lease(partition: int, role: str) -> str:
    """String with a time to live: the instance of `role` that works on the partition."""
    return f"objproc:{{{partition}}}:lease:{role}"
