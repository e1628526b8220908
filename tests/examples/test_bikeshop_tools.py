"""The example's own tools, as AGENT_TOOLS loads them, against the running shop."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import uuid4

import pytest

from examples.bikeshop import tools
from examples.bikeshop.backend import BikeshopBackend
from support_agent.agent.toolkit import Tool, ToolContext
from support_agent.tools import own
from tests.faults.proxy import Proxy
from tickets.backends.port import AnswerLost, Refused
from tickets.models import Action, Customer
from tickets.services import effects
from tickets.services.conversations import conversation_create

pytestmark = pytest.mark.django_db(transaction=True)  # nobody asks the shop with a transaction open
Json = dict[str, Any]
_keys = itertools.count()


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tool]:
    """AGENT_TOOLS=examples.bikeshop.tools"""
    monkeypatch.setattr(own, "_own", {})
    monkeypatch.setattr(effects, "performers", before := list(effects.performers))
    monkeypatch.setattr(own, "performers", before)
    own.load(["examples.bikeshop.tools"])
    return dict(own.own_tools())


@pytest.fixture
def astrid(db: None) -> Customer:
    return Customer.objects.create(external_id="c_1001", email="astrid.lind@example.com", name="Astrid Lind")


def call(tool: Tool, customer: Customer | None, /, **arguments: str) -> Json:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session" if customer else "")
    context = ToolContext(
        conversation_id=conversation.pk,
        turn_id=uuid4(),
        customer_id=customer.pk if customer else None,
        locale="en",
        idempotency_key=f"fitting-{next(_keys)}",
    )
    result = tool.run(context, tool.arguments.model_validate(arguments))
    return result.as_json()


def test_anybody_may_ask_when_there_is_time(shop: BikeshopBackend, loaded: dict[str, Tool]) -> None:
    answer = call(loaded["find_fitting_times"], None, store="oslo")
    assert answer["status"] == "success"
    assert answer["store"] == "Fjell Cycles Grünerløkka"
    assert len(answer["free"]) == tools.SHOWN
    assert answer["free"][0]["time"] == shop.fitting_times("oslo")[0].time


def test_only_a_verified_customer_books(shop: BikeshopBackend, loaded: dict[str, Tool], astrid: Customer) -> None:
    tool, time = loaded["book_bike_fitting"], shop.fitting_times("oslo")[0].time
    assert call(tool, None, time=time)["status"] == "needs_verification"
    answer = call(tool, astrid, time=time)
    assert answer["status"] == "pending_confirmation"
    assert answer["preview"]["store"] == "Fjell Cycles Grünerløkka"
    assert shop.fitting_times("oslo")[0].time == time  # proposed, not booked
    assert call(tool, astrid, time="oslo-2020-01-06-10")["reason"] == "taken"


def test_the_click_books_once_and_can_be_taken_back(
    shop: BikeshopBackend, loaded: dict[str, Tool], astrid: Customer
) -> None:
    time = shop.fitting_times("bergen")[0].time
    call(loaded["book_bike_fitting"], astrid, time=time)
    action, performer = Action.objects.get(), effects.performer_of("book_bike_fitting")
    assert performer is not None
    receipts = [performer.perform(action, key="k1", approved_by="") for _ in range(2)]
    assert receipts[0].receipt == receipts[1].receipt
    assert receipts[0].undo_until is not None
    with pytest.raises(Refused):
        performer.perform(action, key="k2", approved_by="")
    performer.undo(action, key="k3")
    assert shop.fitting_times("bergen")[0].time == time


def test_a_lost_booking_is_found_by_its_key(
    shop: BikeshopBackend, loaded: dict[str, Tool], astrid: Customer, line: Proxy
) -> None:
    time = shop.fitting_times("oslo")[0].time
    call(loaded["book_bike_fitting"], astrid, time=time)
    action, performer = Action.objects.get(), effects.performer_of("book_bike_fitting")
    assert performer is not None
    line.cut_after = 0
    with pytest.raises(AnswerLost):
        performer.perform(action, key="k1", approved_by="")
    assert performer.outcome(action, key="k1").state == "done"
    assert performer.outcome(action, key="k9").state == "never"
