"""What was answered from an article that the customer may not read any more: it backs nothing further.

A plan ends, an article gets another audience, an identity is taken back: from the next turn on the model is shown
neither those answers nor what was found then. The customer's own thread keeps what it has shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, JSONField, Value

from support_agent.models import ToolCall
from tickets.audience import readers_of
from tickets.models import Conversation, Message
from tickets.sql import prepared

_OTHERS = "SELECT slug FROM tickets_article WHERE audience <> ALL(%(readers)s::text[])"
SEARCH = "search_knowledge_base"
INSTEAD = "(This answer came from an article that is not for this customer any more. Search again.)"


@dataclass(frozen=True, slots=True)
class Withheld:
    """`turns` had such an article before them, whether or not their answer names it; `urls` are those articles'."""

    turns: frozenset[UUID] = frozenset()
    urls: frozenset[str] = frozenset()

    def hides(self, message: Message) -> bool:
        """Whether this answer, or this reply that links it, is not to be read on."""
        answered = message.role == Message.Role.ASSISTANT and message.turn_id in self.turns
        return answered or self._cites(message)

    def spare(self, messages: Sequence[Message]) -> list[Message]:
        """The messages with a line in place of each that is hidden; those are for reading, not for saving."""
        for message in messages:
            if self.hides(message):
                message.text = INSTEAD
        return list(messages)

    def without(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """A search's result without those articles."""
        if not self.urls or not isinstance(result.get("results"), list):
            return dict(result)
        return {**result, "results": [hit for hit in result["results"] if hit.get("url") not in self.urls]}

    def _cites(self, message: Message) -> bool:
        return any(source.get("url") in self.urls for source in message.sources)


def withheld_in(conversation: Conversation, messages: Iterable[Message]) -> Withheld:
    """One query while every article is the customer's; two when some is not."""
    readers = {"readers": sorted(readers_of(conversation.customer))}
    hidden = frozenset(f"/help/{slug}/" for (slug,) in prepared(_OTHERS, readers))
    if not hidden:
        return Withheld()
    turns: set[UUID] = set()
    urls: set[str] = set()
    for turn, found in _searches(conversation, hidden):
        turns.add(turn)
        urls |= hidden & set(found)
    urls |= {str(source.get("url")) for message in messages for source in message.sources} & hidden
    return Withheld(frozenset(turns), frozenset(urls))


def _searches(conversation: Conversation, hidden: frozenset[str]) -> Iterable[tuple[UUID, list[str]]]:
    """The turns whose searches found one of those, and the addresses alone of what they found: a long thread's results
    are not read again with each turn."""
    addresses = Func(
        F("result"), Value("$.results[*].url"), function="jsonb_path_query_array", output_field=JSONField(),
        template="%(function)s(%(expressions)s::jsonpath)",
    )  # fmt: skip
    searches = ToolCall.objects.filter(conversation=conversation, tool=SEARCH, result__has_key="results")
    met = searches.annotate(urls=addresses).filter(urls__has_any_keys=sorted(hidden))
    return met.values_list("turn_id", "urls")
