"""How far our people have read, as customers may know it: not who."""

from __future__ import annotations

from django.db.models import Max

from tickets.models import Conversation, ReadMark

WITH_PEOPLE = frozenset({Conversation.Status.WAITING.value, Conversation.Status.HUMAN.value})


def seen_by_staff(conversation: Conversation) -> int:
    """The seq up to which any of them has read; 0 while nobody was asked to: who looks on unasked is not told of."""
    if conversation.status not in WITH_PEOPLE:
        return 0
    return ReadMark.objects.filter(conversation=conversation).aggregate(upto=Max("seq"))["upto"] or 0
