"""Verification codes: six digits derived from the row's own id, so that no table, queue or log ever holds one."""

from __future__ import annotations

import unicodedata

from django.utils.crypto import constant_time_compare, salted_hmac

from tickets.models import Verification

DIGITS = 6


def code_of(verification: Verification) -> str:
    """The code a known customer is mailed."""
    digest = salted_hmac("tickets.verification.code", str(verification.pk), algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"


def code_hash(verification: Verification, code: str) -> str:
    """Keyed by SECRET_KEY and salted by the row, so that a copy of the table gives no code away."""
    return salted_hmac("tickets.verification.hash", f"{verification.pk}:{code}", algorithm="sha256").hexdigest()


def digits(typed: str) -> str:
    """The code in what was typed or pasted: '123-456', '123 456' and Arabic digits are the same."""
    return "".join(str(unicodedata.decimal(letter)) for letter in typed if letter.isdecimal())


def code_matches(verification: Verification, code: str) -> bool:
    return constant_time_compare(code_hash(verification, code), verification.code_hash)
