"""EMAIL_URL as Django's e-mail settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

BACKENDS = {
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "smtps": "django.core.mail.backends.smtp.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
}


def parse_email_url(url: str) -> dict[str, Any]:
    """Settings for smtp:// (STARTTLS when there is a user), smtps://, console: or memory:; ValueError for others.

    An empty URL gives no settings: the caller decides what happens to mail then.
    """
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in BACKENDS:
        raise ValueError(parts.scheme)
    found: dict[str, Any] = {"EMAIL_BACKEND": BACKENDS[parts.scheme]}
    if parts.scheme in ("smtp", "smtps"):
        if not parts.hostname:
            raise ValueError("no host")
        secure = parts.scheme == "smtps"
        found |= {
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or (465 if secure else 587 if parts.username else 25),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": secure,
            "EMAIL_USE_TLS": not secure and bool(parts.username),
            "EMAIL_TIMEOUT": 10,
        }
    return found
