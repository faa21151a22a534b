"""Where the server is."""

from __future__ import annotations

import os
from ipaddress import ip_address

import httpx

from objproc_client.errors import AddressError

DEFAULT_URL = "http://127.0.0.1:8000"


def server_url(url: str | None) -> httpx.URL:
    """Say where the server is: `url`, else $OBJPROC_URL, else this machine's port 8000."""
    text = url or os.environ.get("OBJPROC_URL") or DEFAULT_URL
    try:
        parsed = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise AddressError(f"{text!r} is no address: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise AddressError(f"{text!r} is no address of a server: write http://HOST:PORT")
    return parsed


def is_loopback(url: httpx.URL) -> bool:
    """Whether the address is this machine, where no proxy of the environment can help."""
    try:
        return ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"
