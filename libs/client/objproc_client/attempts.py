"""When a call may be sent again, and after which pause; nothing here waits or sends."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import httpx

from objproc_client.errors import ProtocolError, UnreachableError

UNSENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Repeat(Enum):
    """Which failures leave a call fit to be sent again; the value holds the answers that do."""

    ALWAYS = frozenset({429, 502, 503, 504})
    """Sent twice, it has the effect of once."""
    UNTOUCHED = frozenset({429, 503})
    """Only when the server did nothing with it."""
    UNSENT = frozenset[int]()
    """Only when nothing left this machine: its bytes cannot be had twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and how patiently: exponential pauses with jitter, every one of them bounded."""

    attempts_max: int = 4
    pause_s: float = 0.25
    pause_s_max: float = 10.0
    retry_after_s_max: float = 60.0
    chance: Callable[[], float] = random.random

    def pause_after(self, attempt: int, at_least_s: float = 0.0) -> float:
        """Seconds to wait after the failed `attempt` (from 1), never less than the server asked for."""
        pause_s: float = min(self.pause_s_max, self.pause_s * 2.0 ** min(attempt - 1, 32))
        return at_least_s + pause_s * (0.5 + 0.5 * self.chance())


WATCH_RETRIES = Retries(attempts_max=9)  # about half a minute: longer than a restart of the server


class Attempts:
    """The attempts of one call; each failure is told to it and answered with a pause or an error."""

    def __init__(self, retries: Retries, url: str, repeat: Repeat = Repeat.ALWAYS) -> None:
        """Start before the first attempt."""
        self._retries = retries
        self._url = url
        self._repeat = repeat
        self._failures = 0

    def forget_failures(self) -> None:
        """Count from zero again, because something got through."""
        self._failures = 0

    def lost(self, error: httpx.RequestError, at_least_s: float = 0.0) -> float:
        """Pause after a broken connection; UnreachableError when another attempt must not be."""
        if not isinstance(error, httpx.TransportError):
            raise ProtocolError(f"{self._url} answers what cannot be read: {error}") from error
        self._failures += 1
        reason = str(error) or type(error).__name__
        if self._repeat is not Repeat.ALWAYS and not isinstance(error, UNSENT_ERRORS):
            raise UnreachableError(
                self._url, f"{reason} (the call may have arrived: look before you repeat it)"
            ) from error
        if self._failures >= self._retries.attempts_max:
            raise UnreachableError(self._url, reason) from error
        return self._retries.pause_after(self._failures, at_least_s)

    def closed(self, at_least_s: float = 0.0) -> float:
        """Pause after a stream that ended too early."""
        return self.lost(httpx.RemoteProtocolError("the stream ended before the object did"), at_least_s)

    def answered(self, response: httpx.Response) -> float | None:
        """Pause after a transient refusal; None when the answer stands."""
        is_transient = response.status_code in self._repeat.value
        if not is_transient or self._failures + 1 >= self._retries.attempts_max:
            return None
        asked_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
        if asked_s > self._retries.retry_after_s_max:
            return None
        self._failures += 1
        return self._retries.pause_after(self._failures, asked_s)


def retry_after_s(value: str | None, now: datetime) -> float:
    """Read a Retry-After header, seconds or a date; 0 when there is none or it says nothing."""
    if value is None:
        return 0.0
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if then.tzinfo is None:  # "-0000": UTC of unknown origin
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())
