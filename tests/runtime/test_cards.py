"""Which cards an answer shows: what its tools found and it speaks of, as it stood then, and nothing twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from tests.fakes.replies import calls, plans, says
from tests.runtime.conftest import Rig
from tests.runtime.test_answers import PLAN
from tickets.db import in_db
from tickets.models import Article, Conversation, Order, Shipment, ShipmentEvent
from tickets.services.articles import article_index
from tickets.services.refunds import refund_create
from tickets.services.returns import return_create

Json = dict[str, Any]


async def told(rig: Rig, conversation: Conversation, tool: str, arguments: Json, answer: str) -> list[Json]:
    """The cards under an answer that came after one tool call."""
    rig.model.add(plans(PLAN), calls(tool, arguments), says(answer))
    await rig.ask(conversation, "Please tell me about that in detail, and everything that you know of it")
    cards: list[Json] = (await rig.answer(conversation)).get("cards", [])
    return cards


def ship(order: Order) -> None:
    now = timezone.now()
    for n in ("1", "2"):
        parcel = Shipment.objects.create(
            order=order, tracking_number=f"ALD100000023{n}", carrier="Cascade Post", status="in_transit",
            estimated_delivery=now.date() + timedelta(days=1),
        )  # fmt: skip
        ShipmentEvent.objects.create(shipment=parcel, at=now - timedelta(days=1), description="Handed over")
        ShipmentEvent.objects.create(shipment=parcel, at=now, location="Salem", description="Sorted")


async def test_an_order_named_has_its_card_until_something_changes(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    lookup = ("lookup_order", {"order_number": "AP-100001"})
    [card] = await told(rig, conversation, *lookup, "Order AP-100001 has been delivered.")
    assert (card["kind"], card["id"], card["status"], card["total"]) == ("order", "AP-100001", "delivered", "180.00")
    assert [(line["name"], line["quantity"], line["unit_price"]) for line in card["lines"]] == [
        ("Lantern", 2, "25.00"),
        ("Two-person tent", 1, "130.00"),
    ]
    assert "shipping_address" not in card
    assert await told(rig, conversation, *lookup, "As I said, order AP-100001 has been delivered.") == []
    await in_db(lambda: Order.objects.filter(order_number="AP-100001").update(status="returned"))
    [again] = await told(rig, conversation, *lookup, "Order AP-100001 was returned.")
    assert again["status"] == "returned"


async def test_an_order_the_answer_does_not_name_has_none(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    lookup = ("lookup_order", {"order_number": "AP-100001"})
    assert await told(rig, conversation, *lookup, "It has been delivered, 1 parcel in all.") == []


async def test_each_parcel_has_its_own_with_its_way(rig: Rig) -> None:
    await in_db(ship, rig.cast.paid)
    conversation = await rig.begin(rig.cast.owner)
    cards = await told(
        rig, conversation, "track_shipment", {"order_number": "AP-100002"}, "AP-100002 is on its way in two parcels."
    )
    assert [(card["kind"], card["id"]) for card in cards] == [
        ("shipment", "ALD1000000231"),
        ("shipment", "ALD1000000232"),
    ]
    assert [event["description"] for event in cards[0]["events"]] == ["Sorted", "Handed over"]


async def test_returns_and_refunds_stand_for_their_order(rig: Rig) -> None:
    def go_back() -> str:
        owner = rig.cast.owner.pk
        refund_create(customer_id=owner, order_number="AP-100001", amount=Decimal("12.50"), reason="late")
        parcel = return_create(customer_id=owner, order_number="AP-100001", skus=["LAN-01-BLK"], reason="too dim")
        return str(parcel.number)

    number = await in_db(go_back)
    conversation = await rig.begin(rig.cast.owner)
    answer = f"Return {number} waits for your parcel; 12.50 USD has been refunded on order AP-100001."
    cards = await told(rig, conversation, "lookup_order", {"order_number": "AP-100001"}, answer)
    assert [(card["kind"], card["id"]) for card in cards] == [("return", number), ("refund", "AP-100001-R1")]
    assert cards[0]["send_by"] == (timezone.now().date() + timedelta(days=14)).isoformat()
    assert cards[0]["items"] == [{"name": "Lantern, black", "quantity": 2}]
    assert (cards[1]["amount"], cards[1]["method"]) == ("12.50", "original")


async def test_only_the_article_cited_has_one(rig: Rig) -> None:
    def write() -> None:
        for n, word in enumerate(("poles", "pegs")):
            article = Article.objects.create(
                slug=word, title=f"Care for tent {word}", summary=f"How tent {word} last.", category="product",
                body=f"Dry the tent {word} after rain, {n + 3} hours long.", status="published",
            )  # fmt: skip
            article_index(article=article, embed=False)

    await in_db(write)
    conversation = await rig.begin()

    def cites(body: Json) -> Any:
        return says("Dry them after rain [1].")

    rig.model.add(plans(PLAN), calls("search_knowledge_base", {"query": "tent pegs"}), cites)
    await rig.ask(conversation, "Please tell me about how I can make my tent pegs last for many years")
    message = await rig.answer(conversation)
    [card] = message["cards"]
    assert card["url"] == message["sources"][0]["url"]
    assert card["summary"].startswith("How tent")


async def test_a_ticket_made_is_shown(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    arguments = {
        "customer_email": rig.cast.owner.email, "subject": "Zip broken", "body": "It came off.", "category": "product",
    }  # fmt: skip
    rig.model.add(
        plans(PLAN),
        calls("create_ticket", arguments),
        lambda body: says(f"I opened ticket {_ticket(body)} for you."),
    )
    await rig.ask(conversation, "Please open a ticket about the zip of my tent, which has come off today")
    [card] = (await rig.answer(conversation))["cards"]
    assert (card["kind"], card["subject"], card["status"]) == ("ticket", "Zip broken", "open")


def _ticket(body: Json) -> str:
    result = str(body["messages"][-1])
    start = result.index("T-5")
    return result[start : start + 7]
