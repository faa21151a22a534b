"""A ZIP whose bytes depend on its members alone."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a ZIP can tell."""
READABLE = 0o644 << 16
UNIX = 3
COPY_BYTES = 1 << 20
COMPRESSED_SUFFIXES = {".parquet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file to pack; `rows` where it has rows."""

    name: str
    media_type: str
    path: Path
    rows: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Its entry in the manifest."""
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {
            "name": self.name,
            "media_type": self.media_type,
            "bytes": self.path.stat().st_size,
            "sha256": digest,
            "rows": self.rows,
        }


def write_archive(path: Path, members: Sequence[Member]) -> None:
    """Pack `members` in the given order, without times, owners or absolute paths."""
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, EPOCH)
            info.create_system = UNIX
            info.external_attr = READABLE
            is_packed = Path(member.name).suffix in COMPRESSED_SUFFIXES
            info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            info.file_size = member.path.stat().st_size
            with member.path.open("rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(source, target, COPY_BYTES)
