"""Secrets at rest: whatever we must be able to read again is encrypted by a key derived from SECRET_KEY, another one
for each purpose.

It keeps them out of dumps, backups and exports of the database alone; who has SECRET_KEY as well can read them.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    CharField = models.CharField[str, str]
else:  # generic only for the type checker
    CharField = models.CharField


class Unreadable(Exception):
    """SECRET_KEY is another than the one it was sealed with."""


def seal(text: str, *, purpose: str) -> str:
    """Text for the database; '' for nothing."""
    return _box(purpose).encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str, *, purpose: str) -> str:
    """Raises Unreadable."""
    if not sealed:
        return ""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("Its secrets cannot be read, since SECRET_KEY has changed: enter them again.") from error


class SealedField(CharField):
    """Text that is sealed in its column and plain in Python; '' where it cannot be read any more. `max_length` is of
    what is sealed, some twice the text."""

    def get_prep_value(self, value: Any) -> Any:
        return seal(str(value), purpose=self._purpose()) if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        try:
            return unseal(value, purpose=self._purpose()) if value else value
        except Unreadable:
            return ""

    def _purpose(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"


def _box(purpose: str) -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
