"""Ready answers: their placeholders are filled here, on the server, from the conversation they are for."""

from __future__ import annotations

import re

from tickets.models import CannedReply, Conversation, User
from tickets.selectors.staff import staff_name

PLACEHOLDERS = {
    "customer": "the customer's first name",
    "staff": "the name customers see of whoever answers",
    "reference": "the conversation's reference",
}
_HOLE = re.compile(r"\{(\w+)\}")


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and would never be filled."""
    return sorted(set(_HOLE.findall(text)) - set(PLACEHOLDERS))


def canned_fill(*, reply: CannedReply, conversation: Conversation, staff: User) -> str:
    """The text with its placeholders filled; what nobody knows is filled politely, never left in braces."""
    name = conversation.customer.name.split()[0] if conversation.customer and conversation.customer.name else "there"
    known = {"customer": name, "staff": staff_name(staff), "reference": conversation.reference}
    return _HOLE.sub(lambda hole: known.get(hole[1], hole[0]), reply.text)
