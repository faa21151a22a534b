"""What the synchronous and the asynchronous client share: settings, and requests built from calls."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Any, TypedDict

import httpx

from objproc_client.address import is_loopback, server_url
from objproc_client.attempts import Attempts, Retries
from objproc_client.calls import Call

TIMEOUT_S = 30.0
CONNECTIONS_MAX = 100


class Settings(TypedDict):
    """How both kinds of httpx client are set up."""

    base_url: httpx.URL
    timeout: httpx.Timeout
    headers: dict[str, str]
    trust_env: bool
    limits: httpx.Limits


def settings(url: str | None, timeout: float, api_key: str | None) -> Settings:
    """Settle address, timeout in seconds and key; the environment gives what the caller does not."""
    address = server_url(url)
    headers = {"User-Agent": f"objproc-client/{version('objproc-client')}", "Accept": "application/json"}
    key = api_key or os.environ.get("OBJPROC_API_KEY")
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return Settings(
        base_url=address,
        timeout=httpx.Timeout(timeout),
        headers=headers,
        trust_env=not is_loopback(address),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
    )


def address_of(http: httpx.Client | httpx.AsyncClient) -> str:
    """Name the server for people."""
    return str(http.base_url).rstrip("/")


def attempts_of(http: httpx.Client | httpx.AsyncClient, retries: Retries, call: Call[Any]) -> Attempts:
    """Begin the attempts of a call."""
    return Attempts(retries, address_of(http), call.repeat)


def request_of(
    http: httpx.Client | httpx.AsyncClient,
    call: Call[Any],
    content: Iterator[bytes] | AsyncIterator[bytes] | None = None,
) -> httpx.Request:
    """Build one attempt's request; reading may take as long as the server was asked to hold back."""
    timeout = http.timeout
    return http.build_request(
        call.method,
        call.path,
        params=dict(call.query) or None,
        headers=dict(call.headers),
        json=call.body,
        content=content,
        timeout=httpx.Timeout(
            connect=timeout.connect,
            read=None if timeout.read is None else timeout.read + call.patience_s,
            write=timeout.write,
            pool=timeout.pool,
        ),
    )
