"""Which reporter suits whoever reads."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from objproc_client.command.reporters import Lines, Reporter, Silence
from objproc_client.command.screen import Screen


def reporter_for(screen: Screen) -> AbstractContextManager[Reporter]:
    """Choose the reporter that suits whoever reads."""
    if screen.is_json:
        return nullcontext(Silence())
    if screen.is_terminal:
        from objproc_client.command.bars import live_bars  # rich takes a while to load

        return live_bars()
    return nullcontext(Lines(screen))
