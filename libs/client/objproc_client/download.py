"""A download: a `.part` file beside its target, checked, then renamed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

import httpx

from objproc_client.attempts import Attempts, Retries
from objproc_client.calls import Call, artifact_path
from objproc_client.errors import DigestError, ProtocolError, problem_of

CHUNK_BYTES = 1024 * 1024


class Download:
    """One artifact on its way; the target appears whole and right, or not at all.

    With a known digest a broken connection is resumed where it broke; without one it starts again, because
    nothing would tell if the bytes had changed in between.
    """

    def __init__(self, object_id: str, name: str, to: Path, sha256: str | None, retries: Retries, url: str) -> None:
        """`to` is the target, or a folder that takes the artifact's own name."""
        self.target = to / safe_name(name) if to.is_dir() else to
        self._path = artifact_path(object_id, name)
        self._sha256 = sha256
        self._attempts = Attempts(retries, url)
        self._part = self.target.with_name(self.target.name + ".part")

    def __enter__(self) -> Self:
        """Open the part."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("wb")
        self._restart()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no part behind."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def call(self) -> Call[None]:
        """Describe the next attempt."""
        if self._sha256 is None:
            self._restart()
        resume = {"Range": f"bytes={self._received}-"} if self._received else {}
        headers = {"Accept-Encoding": "identity", "Accept": "*/*", **resume}
        return Call(method="GET", path=self._path, headers=headers, read=lambda _: None)

    def opened(self, response: httpx.Response) -> float | None:
        """Take the answer's head (and, of an error, its body): None to read on, or a pause in seconds."""
        if response.is_success:
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                self._restart()
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {self._received}-"):
                raise ProtocolError(f"{response.url} sends another range than the one asked for")
            return None
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and self._received:
            self._restart()  # what is there is longer than the artifact
            return 0.0
        pause_s = self._attempts.answered(response)
        if pause_s is None:
            raise problem_of(response)
        return pause_s

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self._received += len(chunk)
        self._attempts.forget_failures()

    def lost(self, error: httpx.RequestError) -> float:
        """Say how long to pause after a broken connection; UnreachableError when it broke too often."""
        return self._attempts.lost(error)

    def finish(self) -> Path:
        """Check the digest and move the part to its target."""
        self._file.close()
        if self._sha256 is not None and self._digest.hexdigest() != self._sha256.lower():
            raise DigestError(
                f"{self.target.name} should have the digest {self._sha256}, but came with {self._digest.hexdigest()}"
            )
        return self._part.replace(self.target)

    def _restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self._received = 0


def safe_name(name: str) -> str:
    """Keep what cannot leave its folder of a name that came from elsewhere."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return re.sub(r'[\x00-\x1f\x7f:*?"<>|]', "_", last).lstrip(".") or "artifact"
