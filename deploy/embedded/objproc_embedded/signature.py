"""AWS Signature Version 4 for a request without body or query, in place of botocore's second of imports."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SIGNED = "host;x-amz-content-sha256;x-amz-date"


def signed_headers(method: str, host: str, path: str, access_key: str, secret_key: str, region: str) -> dict[str, str]:
    """The headers that make this request, sent now, the key's owner's."""
    instant = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = instant[:8]
    headers = {"host": host, "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": instant}
    canonical = "\n".join(
        [method, path, "", *(f"{name}:{value}" for name, value in headers.items()), "", SIGNED, EMPTY_SHA256]
    )
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = _sign(key, part)
    signature = _sign(key, "\n".join(["AWS4-HMAC-SHA256", instant, scope, digest])).hex()
    credential = f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={SIGNED}"
    return {**headers, "authorization": f"{credential}, Signature={signature}"}


def _sign(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
