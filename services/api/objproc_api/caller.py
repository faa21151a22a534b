"""Who asks, and under which correlation: what a request's headers say about everything it causes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from objproc.domain.ids import DEFAULT_TENANT
from objproc.wire.envelope import Origin
from objproc_api.problems import Problem

ANONYMOUS = "anonymous"
CORRELATION = re.compile(r"[\x20-\x7e]{1,128}")
IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
PREFERENCE_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6}(?:\.\d+)?)")
WAIT_S_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The tenant and actor of a request, and what ties its effects together."""

    tenant: str
    actor: str
    correlation_id: str | None
    traceparent: str | None

    def origin(self, cause: str, object_id: str) -> Origin:
        """The origin of a command; the object's id stands in for a correlation nobody named."""
        return Origin(
            cause=cause,
            correlation_id=self.correlation_id or object_id,
            actor=self.actor,
            traceparent=self.traceparent,
        )


def caller_of(request: Request) -> Caller:
    """The caller. 400 `invalid_header` for a correlation id that cannot be kept."""
    correlation_id = request.headers.get("x-correlation-id")
    if correlation_id is not None and not CORRELATION.fullmatch(correlation_id):
        raise bad_header("X-Correlation-ID must have 1 to 128 printable ASCII characters")
    traceparent = request.headers.get("traceparent")
    if traceparent is not None and not TRACEPARENT.fullmatch(traceparent):
        traceparent = None  # W3C Trace Context: a malformed one is as none
    return Caller(tenant=DEFAULT_TENANT, actor=ANONYMOUS, correlation_id=correlation_id, traceparent=traceparent)


def idempotency_key_of(request: Request) -> str | None:
    """The key under which a repeat of the request names the same object."""
    key = request.headers.get("idempotency-key")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise bad_header("Idempotency-Key must have 1 to 255 printable ASCII characters")
    return key


def wait_s_of(request: Request) -> float:
    """How many seconds the caller prefers to wait for the outcome (RFC 7240); 0.0 for not at all."""
    found = PREFERENCE_WAIT.search(request.headers.get("prefer", "").lower())
    return min(WAIT_S_MAX, float(found[1])) if found else 0.0


def bad_header(detail: str) -> Problem:
    """400 for a header that makes no sense."""
    return Problem(400, "invalid_header", detail)
