"""Cards on the page and in the event: the same snapshot, in words, escaped; and the label a return's card leads to."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.chat.renderers.html import page_items
from support_agent.chat.visitors import SESSION_KEY
from tests.cast import Cast
from tickets.models import Conversation, Return
from tickets.selectors.conversations import events_latest
from tickets.selectors.records import return_record
from tickets.selectors.returns import return_shown
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_assistant
from tickets.services.returns import return_create

pytestmark = pytest.mark.django_db
Json = dict[str, Any]
LINE = {"name": "Tent", "variant": "", "quantity": 2, "unit_price": "1200.00"}


def shown(customer: Any, *cards: Json) -> str:
    """The page's item of an answer with these cards."""
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")
    message_assistant(conversation=conversation, text="Here it is.", turn_id=uuid4(), cards=cards)
    events = events_latest(conversation.pk)
    assert events[0]["message"]["cards"] == list(cards)
    return str(page_items(events)[0])


def test_an_order_with_its_sums_in_its_own_currency(cast: Cast) -> None:
    card = {"kind": "order", "id": "AP-1", "status": "partly_returned", "currency": "JPY", "total": "2400.00"}
    page = shown(cast.owner, {**card, "lines": [LINE]})
    assert "JPY\u00a02,400" in page
    assert "JPY\u00a01,200 each" in page
    assert "Partly returned" in page
    assert "Order AP-1" in page


def test_a_long_order_folds_its_tail(cast: Cast) -> None:
    card = {"kind": "order", "id": "AP-1", "status": "paid", "currency": "USD", "total": "9.00", "more_lines": 3}
    page = shown(cast.owner, {**card, "lines": [LINE] * 20})
    assert page.index("<details") < page.index("16 more items")
    assert "and 3 more items" in page


def test_the_way_of_a_parcel_is_a_list_with_one_current_step(cast: Cast) -> None:
    now = timezone.now()
    events = [
        {"at": (now - timedelta(hours=n)).isoformat(), "description": f"Scan {n}", "location": "Salem"}
        for n in range(3)
    ]
    card = {
        "kind": "shipment", "id": "ALD1", "order_number": "AP-1", "carrier": "Cascade Post", "status": "in_transit",
        "events": events, "estimated_delivery": (now + timedelta(days=2)).date().isoformat(),
    }  # fmt: skip
    page = shown(cast.owner, card)
    found = re.findall(r"Scan \d|aria-current|class=.ahead", page)
    assert found == ["Scan 2", "Scan 1", "aria-current", "Scan 0", 'class="ahead']
    late = {**card, "estimated_delivery": (now - timedelta(days=1)).date().isoformat()}
    assert "This parcel is late" in shown(cast.owner, late)
    assert "The carrier reports a delay" in shown(cast.owner, {**card, "status": "delayed"})


def test_what_others_wrote_is_text(cast: Cast) -> None:
    bad = "<img src=x onerror=alert(1)>"
    cards: list[Json] = [
        {"kind": "ticket", "id": "T-1", "subject": bad, "status": "open"},
        {"kind": "article", "id": "/help/x/", "url": "/help/x/", "title": bad, "summary": bad},
        {"kind": "order", "id": "AP-1", "status": bad, "currency": bad, "total": bad, "lines": [{**LINE, "name": bad}]},
        {"kind": "unheard-of", "id": bad},
    ]
    page = shown(cast.owner, *cards)
    assert "<img" not in page
    assert page.count("&lt;img src=x") >= 5


@pytest.fixture
def parcel(cast: Cast) -> Return:
    return return_create(customer_id=cast.owner.pk, order_number="AP-100001", skus=["TNT-2P-GRN"], reason="too large")


def browser(user: Any = None, *begun: Conversation) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    session = client.session
    session[SESSION_KEY] = [str(conversation.pk) for conversation in begun]
    session.save()
    return client


def test_the_cards_link_opens_the_label_for_a_while(
    cast: Cast, parcel: Return, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shown(cast.owner, return_shown(return_record(parcel)))
    link = page.split('href="')[1].split('"')[0]
    assert link.startswith(f"/returns/{parcel.number}/label/?key=")
    answer = Client().get(link)
    assert answer.status_code == 200
    assert parcel.number in answer.content.decode()
    assert "Olivia Owner" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert Client().get(link.replace(parcel.number, "R-999999")).status_code == 404
    assert Client().get(link[:-2]).status_code == 404
    monkeypatch.setattr("support_agent.chat.returns.LINK_FOR", timedelta(seconds=-1))
    assert Client().get(link).status_code == 404


def test_without_the_link_a_label_is_its_owners(cast: Cast, parcel: Return) -> None:
    address = f"/returns/{parcel.number}/label/"
    verified, token = conversation_create(channel="chat", customer=cast.owner, identity="code", with_token=True)
    theirs, their_token = conversation_create(channel="chat", customer=cast.other, identity="code", with_token=True)
    assert browser(cast.owner_user).get(address).status_code == 200
    assert browser(None, verified).get(address).status_code == 200
    assert Client().get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    for client in (Client(), browser(cast.other_user), browser(cast.other_user, verified), browser(None, theirs)):
        assert client.get(address).status_code == 404
    assert Client().get(address, headers={"Authorization": f"Bearer {their_token}"}).status_code == 404


def test_a_label_is_over_with_its_days_and_with_its_return(cast: Cast, parcel: Return) -> None:
    client, address = browser(cast.owner_user), f"/returns/{parcel.number}/label/"
    Return.objects.update(created_at=timezone.now() - timedelta(days=15))
    answer = client.get(address)
    assert answer.status_code == 410
    assert "Ask in the chat for a fresh one" in answer.content.decode()
    Return.objects.update(created_at=timezone.now(), status="cancelled")
    assert client.get(address).status_code == 410
