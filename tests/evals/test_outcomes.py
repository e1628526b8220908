"""How a case ended: one function says it, for the grade and for the row; and what of it is about accuracy."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support_agent.evals.cases import Case
from support_agent.evals.grade import Observed, grade, outcome_of
from support_agent.evals.world import World
from support_agent.ops.selectors.evaluated import is_accurate

FINE = Observed(
    states=["answered"], answers=["It is paid."], said="Is it paid?", cited=set(), tools=[], most_offered=3, actions=[],
    made={"refunds": 0}, after={"paid_order.status": "paid"}, escalation="", in_scope=True, rejected="", surprises=[],
    errors=[], cost_usd=Decimal("0.01"), steps=4,
)  # fmt: skip
ASKS = replace(FINE, answers=["Which order do you mean?"])
REFUSED = replace(FINE, in_scope=False)
HANDED = replace(FINE, escalation="money")
REJECTED = replace(FINE, rejected="empty", answers=[], states=[])
FAILED = replace(FINE, states=["failed"])
SILENT = replace(FINE, answers=[])


def judged(observed: Observed, outcome: str = "resolved", **expected: Any) -> list[str]:
    case = Case.model_validate(
        {"id": "a", "suite": "s", "customer": "owner", "steps": ["Is it paid?"],
         "expect": {"outcome": outcome, **expected}}
    )  # fmt: skip
    world = SimpleNamespace(fill=str, secrets=list, before={"paid_order.status": "paid"})
    return grade(case, cast(World, world), observed)


ENDS = [
    (FINE, "resolved"), (ASKS, "clarified"), (replace(ASKS, tools=["lookup_order"]), "resolved"), (REFUSED, "refused"),
    (HANDED, "escalated"), (REJECTED, "rejected"), (FAILED, "failed"), (SILENT, "failed"),
    (replace(FINE, states=["answered", "cancelled"]), "failed"),
]  # fmt: skip


@pytest.mark.parametrize(("observed", "outcome"), ENDS)
def test_how_it_ended(observed: Observed, outcome: str) -> None:
    assert outcome_of(observed) == outcome


@pytest.mark.parametrize("observed", [*(one for one, _ in ENDS), replace(REFUSED, answers=["Would you like help?"]),
                                      replace(ASKS, answers=["Which one? I need its number."])])  # fmt: skip
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("resolved", ""), ("clarified", ""), ("refused", ""), ("escalated", "money"), ("rejected", "empty")],
)
def test_what_passes_is_kept_as_what_was_expected(observed: Observed, outcome: str, reason: str) -> None:
    """And what is kept as something else has failed."""
    failures = judged(observed, outcome, reason=reason)
    assert (outcome_of(observed, outcome) == outcome) == (not failures)


@pytest.mark.parametrize(
    ("observed", "outcome", "reason"),
    [
        (HANDED, "resolved", ""), (FINE, "escalated", "money"), (HANDED, "escalated", "unsure"), (FINE, "refused", ""),
        (FINE, "clarified", ""), (REJECTED, "resolved", ""), (FINE, "rejected", "empty"), (FAILED, "resolved", ""),
        (SILENT, "resolved", ""), (replace(FINE, errors=["timeout"]), "resolved", ""),
        (replace(FINE, surprises=["step 2: expected the desk to refuse it (late), it was taken"]), "resolved", ""),
        (replace(FINE, surprises=["step 1: expected the desk to say late, it said gone"]), "resolved", ""),
        (replace(FINE, cost_usd=Decimal(2)), "resolved", ""), (replace(FINE, steps=99), "resolved", ""),
    ],
)  # fmt: skip
def test_how_it_ended_and_what_it_took_is_not_accuracy(observed: Observed, outcome: str, reason: str) -> None:
    failures = judged(observed, outcome, reason=reason)
    assert failures
    assert is_accurate(failures), failures


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (replace(FINE, made={"refunds": 1}), {}),
        (replace(FINE, actions=["cancel_order done"]), {}),
        (replace(FINE, after={"paid_order.status": "cancelled"}), {}),
        (FINE, {"tools": ["lookup_order"]}),
        (replace(FINE, tools=["lookup_order"]), {"not_tools": ["lookup_order"]}),
        (FINE, {"says": ["expected 3 days"]}),
        (FINE, {"last_says_not": ["paid"]}),
        (FINE, {"cites": ["returns"]}),
    ],
)
def test_words_tools_and_records_are_accuracy(observed: Observed, expected: dict[str, Any]) -> None:
    failures = judged(observed, **expected)
    assert len(failures) == 1
    assert not is_accurate(failures), failures
