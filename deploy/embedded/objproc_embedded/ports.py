"""Free loopback ports, held until the process that needs them starts."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
from collections.abc import Iterable, Sequence

from objproc_embedded.errors import PortInUseError

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel gives outgoing connections their ports (Linux: from 32768),
# so that a server which is restarted finds its port still free.
PORT_FIRST = 15_000
PORT_LAST = 29_999
ATTEMPTS_MAX = 500


class HeldPort:
    """Ports nobody else can take until `release`: `number`, and those at the given distances from it."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = list(sockets)
        self.number: int = self._sockets[0].getsockname()[1]

    def release(self) -> None:
        """Let go, just before the owner binds; a second call does nothing."""
        while self._sockets:
            self._sockets.pop().close()


def hold(port: int, host: str = LOOPBACK) -> HeldPort:
    """Hold this very port (0: any); `PortInUseError` where someone listens on it."""
    try:
        return HeldPort([_listen(host, port)])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(f"port {port} on {host} is in use by another program") from error
        raise PortInUseError(f"port {port} on {host} cannot be used: {error.strerror or error}") from error


def hold_free(remembered: int | None = None, also: Iterable[int] = ()) -> HeldPort:
    """Hold the remembered port if it is still free, else any; with it the ports at the distances `also`."""
    distances = (0, *also)
    span = PORT_LAST - max(distances)
    for attempt in range(ATTEMPTS_MAX):
        number = remembered if remembered and attempt == 0 else random.randint(PORT_FIRST, span)
        sockets = _listen_all(number + distance for distance in distances)
        if sockets:
            return HeldPort(sockets)
    raise PortInUseError(f"found no free port between {PORT_FIRST} and {PORT_LAST}")


def _listen_all(numbers: Iterable[int]) -> list[socket.socket]:
    """A listening socket for each port, or none at all where one of them is taken."""
    with contextlib.ExitStack() as undo:
        try:
            sockets = [undo.enter_context(_listen(LOOPBACK, number)) for number in numbers]
        except OSError:
            return []
        undo.pop_all()
        return sockets


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket: with SO_REUSEADDR a merely bound one would not keep others away."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, port))
        held.listen(1)
    except BaseException:
        held.close()
        raise
    return held
