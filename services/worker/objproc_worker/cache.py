"""The worker's local files: content-addressed, with a quota, the longest unused go first."""

from __future__ import annotations

import asyncio
import fcntl
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from objproc.store.s3 import key_of


class FetchPort(Protocol):
    """The bucket, as far as the cache needs it."""

    async def get_file(self, key: str, path: Path, sha256: str) -> None:
        """Fetch to a file and check the digest."""
        ...


class Cache:
    """Files by tenant and digest below `folder`, at most `bytes_max` of them that nobody uses."""

    def __init__(self, folder: Path, store: FetchPort, bytes_max: int) -> None:
        self._root = root = folder / "cache"
        root.mkdir(exist_ok=True)
        self._store = store
        self._bytes_max = bytes_max
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._users: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        for path in sorted(root.iterdir()):
            if path.suffix == ".part":
                path.unlink()
            else:
                self._sizes[path.name] = path.stat().st_size

    @asynccontextmanager
    async def hold(self, tenant: str, sha256: str) -> AsyncIterator[Path]:
        """The file with these bytes, fetched where it is missing; it stays at least as long as it is held."""
        name = f"{tenant}-{sha256}"
        self._users[name] = self._users.get(name, 0) + 1
        try:
            lock = self._locks.setdefault(name, asyncio.Lock())
            async with lock:
                if name not in self._sizes:
                    await self._fetch(tenant, sha256, name)
                self._sizes.move_to_end(name)
            yield self._root / name
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name]
                self._locks.pop(name, None)
            self._evict()

    def adopt(self, tenant: str, sha256: str, path: Path) -> None:
        """Take a file over that is known to have this digest; the next operation will want it."""
        name = f"{tenant}-{sha256}"
        if name in self._sizes:
            return
        size = path.stat().st_size
        path.chmod(0o444)
        path.rename(self._root / name)
        self._sizes[name] = size
        self._evict()

    async def _fetch(self, tenant: str, sha256: str, name: str) -> None:
        part = self._root / f"{name}.part"
        try:
            await self._store.get_file(key_of(tenant, sha256), part, sha256)
            part.chmod(0o444)
            self._sizes[name] = part.stat().st_size
            part.rename(self._root / name)
        finally:
            part.unlink(missing_ok=True)

    def _evict(self) -> None:
        total = sum(self._sizes.values())
        for name in list(self._sizes):
            if total <= self._bytes_max:
                return
            if name not in self._users:
                total -= self._sizes.pop(name)
                (self._root / name).unlink(missing_ok=True)


def own_folder(root: Path | None) -> Path:
    """A folder below `root` that no other living worker has: the first whose lock is free."""
    base = root or Path(tempfile.gettempdir()) / "objproc-worker"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = 0
    while True:
        folder = base / f"worker-{number}"
        folder.mkdir(exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("w")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _locks.append(lock)  # held as long as the process lives
            return folder
        lock.close()
        number += 1


_locks: list[object] = []
