"""Random lives of orders: whatever is clicked, undone, approved or refused, in any order, the sums hold."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from django.db.models import Sum

from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.errors import DeskError
from tickets.models import Action, Order, Refund
from tickets.policy import POLICY
from tickets.services.actions import action_approve, action_undo


def step(talk: Talk, cast: Cast, dice: random.Random) -> None:
    """One thing somebody might do."""
    number = dice.choice(["AP-100001", "AP-100002"])
    what = dice.choice(["refund", "refund", "refund", "cancel", "return", "undo", "approve", "again", "paid_out"])
    actions = list(Action.objects.filter(customer=cast.owner))
    action = dice.choice(actions) if actions else None
    if what == "refund":
        talk.do("request_refund", order_number=number, amount=f"{dice.randint(1, 12000) / 100:.2f}", reason="x")
    elif what == "cancel":
        talk.do("cancel_order", order_number=number, reason="x")
    elif what == "return":
        talk.do("request_return", order_number=number, skus=["LAN-01-BLK"], reason="x")
    elif what == "paid_out":
        Refund.objects.filter(status="approved").update(status="paid")
    elif action is None:
        return
    elif what == "undo":
        action_undo(conversation=action.conversation, action_id=action.pk)
    elif what == "approve":
        action_approve(action_id=action.pk, staff=cast.agent, approve=dice.random() < 0.5)
    else:
        talk.conversation = action.conversation
        talk.click(action)


def check(cast: Cast) -> None:
    for order in Order.objects.filter(customer=cast.owner):
        refunds = order.refunds.exclude(status="rejected")
        total = refunds.aggregate(total=Sum("amount", default=Decimal("0.00")))["total"]
        assert order.refunded_total == total
        assert 0 <= total <= order.paid_total
        if order.status == "cancelled":
            assert total == order.paid_total
    by_click = Refund.objects.exclude(status="rejected").filter(action__tool="request_refund", approved_by=None)
    assert by_click.aggregate(total=Sum("amount", default=Decimal("0.00")))["total"] <= POLICY.refund_limit
    refunds_of_actions = Refund.objects.exclude(action=None).values_list("action", flat=True)
    assert len(refunds_of_actions) == len(set(refunds_of_actions))


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_hold_in_any_order(cast: Cast, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(25):
        try:
            step(Talk(cast.owner), cast, dice)
        except DeskError:
            continue
        finally:
            check(cast)
