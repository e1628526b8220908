"""What a person types into the search field of traces and inbox, by what it looks like."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Q

from support_agent.agent.identifiers import formats
from support_agent.models import Step, ToolCall, Turn
from tickets.models import Action, Escalation, Message

REFERENCE = re.compile(r"[2-9A-Z]{3}-?[2-9A-Z]{3}", re.IGNORECASE)
NUMBER = re.compile(r"(T-\d{5}|R-\d{6}|INV-\d{6})", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")


def matching(text: str) -> Q:
    """Conversations by their reference, an id of anything in them, an e-mail, a number of ours, a topic or a name."""
    if REFERENCE.fullmatch(text):
        letters = text.replace("-", "").upper()
        return Q(reference=f"{letters[:3]}-{letters[3:]}")
    try:
        return _by_id(UUID(text))
    except ValueError:
        pass
    if "@" in text:
        return Q(customer__email__icontains=text) | Q(contact_email__icontains=text)
    if number := next(iter([*formats().found_in(text), *NUMBER.findall(text)]), ""):
        return _by_number(number.upper())
    return Q(topic__icontains=text) | Q(customer__name__icontains=text)


def _by_id(key: UUID) -> Q:
    """The conversation with this id, or the one that a turn, step, tool call, message, action or escalation is of."""
    owners = [
        Turn.objects.filter(pk=key).values("conversation"),
        Step.objects.filter(pk=key).values("turn__conversation"),
        *(model._default_manager.filter(pk=key).values("conversation")
          for model in (ToolCall, Message, Action, Escalation)),
    ]  # fmt: skip
    found = Q(pk=key)
    for owner in owners:
        found |= Q(pk__in=owner)
    return found


def _by_number(number: str) -> Q:
    """Where somebody wrote the number or a tool was asked for it. The digits are enough to find it in words."""
    digits = max(_DIGITS.findall(number), key=len)
    said = Message.objects.filter(text__contains=digits).values("conversation")
    used = ToolCall.objects.filter(arguments__order_number=number).values("conversation")
    return Q(pk__in=said) | Q(pk__in=used)
