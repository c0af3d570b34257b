"""AWS Signature Version 4: how a request to Amazon says who sends it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair, the session's token where it is a temporary one, and what they are used for."""

    key_id: str
    secret: str
    region: str
    service: str
    token: str | None = None


def signed(
    credentials: Credentials, method: str, url: str, body: bytes, now: datetime
) -> dict[str, str]:
    """The headers that sign a request without a query.

    Args:
        credentials: who sends it
        method: of the request
        url: its whole address
        body: its body
        now: the time in UTC
    """
    parts = urlsplit(url)
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    headers = {"host": parts.netloc, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    request = "\n".join(
        [
            method,
            parts.path or "/",
            "",
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _hmac(_key(credentials, stamp[:8]), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}")
    del headers["host"]
    return {
        **headers,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature.hex()}",
    }


def _key(credentials: Credentials, day: str) -> bytes:
    key = _hmac(f"AWS4{credentials.secret}".encode(), day)
    for part in (credentials.region, credentials.service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
