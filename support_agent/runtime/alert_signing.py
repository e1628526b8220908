"""How alerts to webhooks are signed: HMAC-SHA256 of "<timestamp>.<body>"."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from tickets.outgoing import post


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """The header's value."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def post_signed(url: str, body: bytes, *, secret: str, delivery_id: str, now: datetime) -> int:
    """The answer's status. Raises Refused, or OSError when nothing came back in time."""
    headers = {"X-Delivery-Id": delivery_id, "X-Signature": signature(body, secret, int(now.timestamp()))}
    return post(url, body, headers)
