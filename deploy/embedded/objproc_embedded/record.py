"""`stack.json` in the data folder: what a later start on the same folder needs to know."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from objproc_embedded.errors import DataLostError
from objproc_embedded.identity import start_mark

SECRET_BYTES = 24


class Record:
    """Secrets, ports, running children and scratch folders; readable by the owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: dict[str, Any] = {"secrets": {}, "ports": {}, "children": {}, "scratch": []}
        self.is_new = not path.exists()
        if not self.is_new:
            try:
                self._content |= json.loads(path.read_text())
            except ValueError as error:
                raise DataLostError(f"{path} is damaged: {error}") from error

    def secret(self, name: str) -> str:
        """The secret of this name, made at random when first asked for."""
        known: dict[str, str] = self._content["secrets"]
        if name not in known:
            known[name] = secrets.token_urlsafe(SECRET_BYTES)
            self._save()
        return known[name]

    def port(self, name: str) -> int | None:
        """The port of this name at the last start."""
        ports: dict[str, int] = self._content["ports"]
        return ports.get(name)

    def remember_port(self, name: str, number: int) -> None:
        """Ask for the same port at the next start."""
        if self._content["ports"].get(name) != number:
            self._content["ports"][name] = number
            self._save()

    def children(self) -> dict[int, str]:
        """The children that ran when this was last written: pid → mark of its start."""
        return {int(pid): mark for pid, mark in self._content["children"].items()}

    def add_child(self, pid: int) -> None:
        """Note a child that now runs; one that is gone already is not worth noting."""
        mark = start_mark(pid)
        if mark is not None:
            self._content["children"][str(pid)] = mark
            self._save()

    def remove_child(self, pid: int) -> None:
        """Forget a child that is gone."""
        if self._content["children"].pop(str(pid), None) is not None:
            self._save()

    def scratch(self) -> list[Path]:
        """Folders outside the data folder which are to be removed at the end."""
        return [Path(path) for path in self._content["scratch"]]

    def set_scratch(self, paths: list[Path]) -> None:
        """Replace the list of folders outside the data folder."""
        self._content["scratch"] = [str(path) for path in paths]
        self._save()

    def _save(self) -> None:
        draft = self._path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
