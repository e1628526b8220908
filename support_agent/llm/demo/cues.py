"""Telling words and numbers: what they add to the classifier's scores, so that few examples go a long way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from support_agent.llm.demo import lexicon
from support_agent.llm.demo.slots import Slots

# With an order number in it, a message is hardly one of these.
_WITH_ORDER = {
    "knowledge": -0.35,
    "offtopic": -0.3,
    "about_bot": -0.3,
    "greeting": -0.3,
    "orders_list": -0.5,
    "order_info": 0.12,
}


def weighed(scores: Sequence[tuple[str, float]], joined: str, slots: Slots) -> list[tuple[str, float]]:
    """The classifier's scores with the cues' bonuses, best first."""
    total = dict(scores)
    for intent, bonus, pattern in _cues():
        if pattern.search(joined):
            total[intent] += bonus
    if slots.orders:
        for intent, change in _WITH_ORDER.items():
            total[intent] += change
    if slots.wish and slots.kind in ("damaged", "wrong_item", "missing_item", "lost"):
        total["problem"] += 0.3
    if slots.field and slots.value:
        total["update"] += 0.3
    return sorted(total.items(), key=lambda scored: -scored[1])


@cache
def _cues() -> list[tuple[str, float, re.Pattern[str]]]:
    return [(cue["intent"], cue["adds"], lexicon.any_of(cue["when"])) for cue in lexicon.data("lexicon")["cues"]]
