"""What makes two answers the same, worded otherwise, or another answer."""

from __future__ import annotations

from typing import Any

import pytest

from support_agent.runtime.blast_touch import drawn
from support_agent.runtime.blast_verdict import judged, went
from tickets.ids import new_id

HELP = [{"n": 1, "url": "/help/returns/"}]


def call(tool: str, status: str = "success", **arguments: Any) -> dict[str, Any]:
    return {"kind": "tool_call", "tool": tool, "input": arguments, "output": {}, "status": status}


def verdict(before: str, after: str, **sides: Any) -> str:
    one = went(sides.get("was", "answered"), before, sides.get("cited", HELP), sides.get("did", []))
    other = went(sides.get("is_", "answered"), after, sides.get("cites", HELP), sides.get("does", []))
    return judged(one, other).verdict


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("You have 30 days. [1]", "You have 30 days. [1]", "same"),
        ("The delivry takes 30 days. [1]", "The delivery takes 30 days [2].", "same"),
        ("You have a month to return it.", "You have one month in which you can return the item.", "worded"),
        ("Returns are free for Plus members.", "Returns are free for Basic members.", "worded"),
        ("You have 30 days.", "You have 14 days.", "otherwise"),
        ("You have 30 days.", "You have a while.", "otherwise"),
        ("It costs 4.90 USD.", "It costs $4.90.", "worded"),
        ("It costs 4.90 USD.", "It costs 5.90 USD.", "otherwise"),
        ("It arrives on 18 November 2026.", "It arrives on 2026-11-18.", "worded"),
        ("It arrives on 18 November 2026.", "It arrives on 19 November 2026.", "otherwise"),
        ("You can return it.", "You cannot return it.", "otherwise"),
        ("Worn boots are refundable here.", "Worn boots are not refundable here.", "otherwise"),
        ("That is possible with any card.", "That is impossible with any card.", "worded"),
        ("See /help/returns/ for more.", "See /help/refunds/ for more.", "otherwise"),
        ("1. Open it.\n2. Press Return.", "Open it. Press Return.", "same"),
        ("Take 3 pegs.", "Take 4 pegs.", "otherwise"),
    ],
)
def test_of_words_and_facts(before: str, after: str, said: str) -> None:
    assert verdict(before, after) == said


@pytest.mark.django_db
def test_of_outcomes_sources_and_deeds() -> None:
    offer = call("request_refund", "pending_confirmation", order_number="AP-100001", amount="20.00", reason="torn")
    reworded = call("request_refund", "pending_confirmation", order_number="100001", amount="20.00", reason="It tore.")
    more = call("request_refund", "pending_confirmation", order_number="AP-100001", amount="40.00", reason="torn")
    look = call("lookup_order", order_number="AP-100001")
    asked, unsure = ({"kind": "escalate", "output": {"reason": reason}} for reason in ("asked", "unsure"))
    assert verdict("Hm.", "Hm.", is_="escalated") == "otherwise"
    assert verdict("Hm.", "Hm.", was="escalated", is_="escalated", did=[asked], does=[unsure]) == "otherwise"
    assert verdict("Hm.", "Hm.", cites=[]) == "otherwise"
    assert verdict("Hm.", "Hm.", did=[offer], does=[reworded]) == "same"
    assert verdict("Hm.", "Hm.", did=[offer], does=[more]) == "otherwise"
    assert verdict("Hm.", "Hm.", did=[offer]) == "otherwise"
    assert verdict("Hm.", "Hm.", did=[look]) == "worded"
    assert verdict("Ticket T-10482 is open.", "Ticket T-00000 is open.") == "same"


def test_the_reasons_name_what_is_other() -> None:
    found = judged(went("answered", "You have 30 days.", HELP, []), went("escalated", "You have 14 days.", [], []))
    assert found.reasons == (
        "another outcome: answered, then escalated",
        "no longer says 30 days",
        "now says 14 days",
        "no longer cites /help/returns/",
    )


def test_turns_are_drawn_evenly_over_what_they_were() -> None:
    rows = [(new_id(), "returns", "answered", "fast") for _ in range(90)]
    rows += [(new_id(), "orders", "answered", "planned") for _ in range(5)]
    rows += [(new_id(), "orders", "escalated", "planned")]
    chosen = drawn(rows, 9)
    topics = [(row[1], row[2]) for row in rows if row[0] in chosen]
    assert [topics.count(kind) for kind in dict.fromkeys(topics)] == [4, 4, 1]
    assert chosen[0] == rows[0][0]
    assert len(drawn(rows, 500)) == 96
