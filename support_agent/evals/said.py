"""What a played case leaves for whoever reads its report: what was said, what it used."""

from __future__ import annotations

from django.db.models import Sum

from support_agent.agent.types import Json, Usage
from support_agent.evals.world import World
from support_agent.models import Turn
from tickets.models import Message

MAX_TEXT = 4000


def said(world: World) -> list[Json]:
    """The thread, as [{'who': 'customer', 'text': …}, …]; a text without end is cut."""
    messages = Message.objects.filter(conversation=world.conversation).order_by("seq")
    return [{"who": message.role, "text": _cut(message.text)} for message in messages]


def used(world: World) -> Usage:
    """The tokens of all its turns."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    sums = Turn.objects.filter(conversation=world.conversation).aggregate(**{name: Sum(name) for name in names})
    return Usage(**{name: sums[name] or 0 for name in names})


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text):,} characters)"
