"""What a server must offer to be part of the embedded stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from objproc_embedded.child import Program


class Server(Protocol):
    """A real server that runs as a child process; made with the data folder it may use."""

    name: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service needs to reach it; known before it runs."""
        ...

    def prepare(self) -> Program:
        """Make its folder ready and say what to run."""
        ...

    async def is_ready(self) -> bool:
        """Whether it does its work now."""
        ...

    def clear(self) -> None:
        """Remove what it left outside the data folder, once it has ended."""
        ...
