"""What must not be kept, or must not leave the house: found in texts, and replaced.

Two levels. *Secrets* (cards, keys, passwords) go at the door: they reach no table, no model and no log. *Personal* data
(also e-mail, phone, IBAN, national ids) is taken out of logs, OpenTelemetry, mails to staff, webhooks and exports.
Order, parcel and ticket numbers, dates and prices stay: each rule asks for a shape and, where there is one, a checksum.
Plain Python: logging needs it before Django is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tickets.redaction.numbers import CARD, IBAN, IDS, hide_iban, is_card
from tickets.redaction.phones import PHONE, SPOKEN_PHONE, is_phone
from tickets.redaction.secrets import hide_secrets

EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
OUR_NUMBERS = re.compile(
    r"(?:^|_)(?:id|ids|sku|skus|reference|slug)$|^idempotency_key$|^(?:order|tracking|ticket|return|invoice)_numbers?$"
)
"""Fields of records that hold our own identifiers: they are what they are, whatever their digits look like."""

CARD_MARK, SECRET_MARK, EMAIL_MARK, PHONE_MARK, IBAN_MARK, ID_MARK = (
    "[card]", "[redacted]", "[email]", "[phone]", "[iban]", "[id]",
)  # fmt: skip


def without_secrets(text: str) -> str:
    """The text without card numbers, keys and passwords."""
    return CARD.sub(_if(is_card, CARD_MARK), hide_secrets(text))


def without_personal(text: str) -> str:
    """The text without secrets, and without what finds or names a person."""
    text = without_accounts(EMAIL.sub(EMAIL_MARK, without_secrets(text)))
    text = SPOKEN_PHONE.sub(rf"\g<1>{PHONE_MARK}", text)
    return PHONE.sub(_if(is_phone, PHONE_MARK), text)


def without_accounts(text: str) -> str:
    """The text without bank accounts and national ids."""
    text = IBAN.sub(lambda match: hide_iban(match[0], IBAN_MARK), text)
    for pattern, is_one in IDS:
        text = pattern.sub(_if(is_one, ID_MARK), text)
    return text


def redact_json(value: Any, redact: Callable[[str], str] = without_personal) -> Any:
    """The same for every text within JSON, keys and our own identifiers left as they are."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _field(str(name), item, redact) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_json(item, redact) for item in value]
    return value


def _field(name: str, value: Any, redact: Callable[[str], str]) -> Any:
    return value if OUR_NUMBERS.search(name) else redact_json(value, redact)


def _if(is_one: Callable[[str], bool], mark: str) -> Callable[[re.Match[str]], str]:
    return lambda match: mark if is_one(match[0]) else match[0]
