"""The demo shop: everything the contract promises of it, and records that agree with each other."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import Count, F, Max, Min, Q, Sum
from django.utils import timezone

from support_agent.agent.types import Usage
from support_agent.launch import prepare
from support_agent.llm.pricing import cost_usd
from support_agent.models import ApiKey, Spend, Step, ToolCall, Turn
from tests.reference_order import orders_with_everything, reference
from tests.seeded import demo
from tickets import policy
from tickets.models import (
    Action,
    Article,
    Conversation,
    Customer,
    DeliveryProblem,
    Escalation,
    Event,
    Message,
    Order,
    OrderLine,
    Refund,
    Return,
    Shipment,
    ShipmentEvent,
    Ticket,
)
from tickets.selectors.order_records import order_record_of

__all__ = ["demo"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def test_the_start_names_the_first_of_each_role() -> None:
    logins = prepare._seed()
    assert logins["Staff agent"].startswith("agent / ")
    assert {"Staff lead", "Staff ops", "Staff admin"} <= set(logins)


def cast() -> dict[str, Any]:
    out = StringIO()
    call_command("seed_demo", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_it_is_the_promised_size() -> None:
    assert Customer.objects.count() == 200
    assert Order.objects.count() == 1500
    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    assert Ticket.objects.count() >= 110
    assert Conversation.objects.count() >= 300
    assert Article.objects.filter(status="published").count() >= 60
    assert Escalation.objects.filter(status__in=["waiting", "claimed"]).count() == 8


def test_seeding_again_changes_nothing_and_prints_the_same_cast() -> None:
    before = (Order.objects.count(), Message.objects.count(), ApiKey.objects.count())
    assert cast() == cast()
    assert (Order.objects.count(), Message.objects.count(), ApiKey.objects.count()) == before


def test_the_printed_passwords_are_those_it_was_written_with(settings: Any) -> None:
    before = cast()
    settings.DEMO = not settings.DEMO
    assert cast() == before


def test_the_cast_is_printed_as_the_contract_says_and_can_sign_in() -> None:
    found = cast()
    assert set(found) == {"customers", "staff", "api_key"}
    for customer in found["customers"]:
        assert {"email", "password", "name", "orders"} <= set(customer)
        assert authenticate(username=customer["email"], password=customer["password"])
        for order in customer["orders"]:
            assert set(order) == {"order_number", "status", "total", "skus"}
            assert Order.objects.filter(order_number=order["order_number"], customer__email=customer["email"]).exists()
    for person in found["staff"]:
        user = authenticate(username=person["username"], password=person["password"])
        assert user is not None
        assert user.is_staff
        assert [group.name for group in user.groups.all()] == [person["role"]]
    assert {person["role"] for person in found["staff"]} == {"agent", "lead", "ops", "admin"}


def test_the_api_key_is_kept_only_as_its_hash() -> None:
    raw = cast()["api_key"]
    key = ApiKey.objects.get(key_hash=ApiKey.hash(raw))
    assert key.revoked_at is None
    assert raw not in key.key_hash


def test_the_cast_has_telling_orders() -> None:
    now = timezone.now()
    states = {order["status"] for customer in cast()["customers"] for order in customer["orders"]}
    assert {"pending", "paid", "packed", "shipped", "delivered", "partly_returned", "returned", "refunded"} <= states
    maya = Customer.objects.get(email="maya.okafor@example.com")
    parcels = Shipment.objects.filter(order__customer=maya)
    assert {"in_transit", "delayed", "delivered"} <= set(parcels.values_list("status", flat=True))
    returnable = maya.orders.filter(status="delivered", delivered_at__gt=now - timedelta(days=30)).first()
    assert returnable is not None
    assert policy.can_cancel(maya.orders.get(status="pending").status).ok
    assert not Refund.objects.filter(order__customer=maya).exists()  # so that a first refund needs no approval
    assert Shipment.objects.filter(order__customer__email="tomas.herrera@example.com", status="lost").exists()
    assert not DeliveryProblem.objects.filter(order__customer__email__contains="herrera").exists()


def test_every_order_is_told_as_the_models_say() -> None:
    orders = list(orders_with_everything())
    assert any(order.returns.all() for order in orders)
    assert any(refund.action for order in orders for refund in order.refunds.all())
    for order in orders:
        told = order_record_of(customer_id=order.customer_id, order_number=order.order_number)
        assert repr(told) == repr(reference(order))  # repr: 7 is not 7.00, nor one zone another


def test_orders_agree_with_their_parcels() -> None:
    for order in Order.objects.prefetch_related("shipments__lines", "lines"):
        parcels = list(order.shipments.all())
        states = {parcel.status for parcel in parcels}
        if order.status in {"pending", "paid", "cancelled"}:
            assert not parcels, order.order_number
            continue
        packed = [line.pk for parcel in parcels for line in parcel.lines.all()]
        assert sorted(packed) == sorted(line.pk for line in order.lines.all()), order.order_number
        if order.status == "packed":
            assert states == {"pending"}
        elif order.status == "shipped":
            assert states & {"in_transit", "delayed", "lost"}
        elif order.status != "refunded":
            assert states == {"delivered"}
            assert order.delivered_at == max(parcel.delivered_at for parcel in parcels if parcel.delivered_at)


def test_nothing_has_happened_in_the_future_or_in_the_wrong_order() -> None:
    now = timezone.now()
    assert not Order.objects.filter(Q(placed_at__gt=now) | Q(delivered_at__gt=now)).exists()
    assert not ShipmentEvent.objects.filter(at__gt=now).exists()
    assert not Event.objects.filter(created_at__gt=now).exists()
    assert not Refund.objects.filter(created_at__gt=now).exists()
    assert not Shipment.objects.filter(delivered_at__lt=F("shipped_at")).exists()
    assert not Shipment.objects.filter(shipped_at__lt=F("order__placed_at")).exists()
    assert not Return.objects.filter(created_at__lt=F("order__delivered_at")).exists()


def test_money_adds_up() -> None:
    sums = Order.objects.annotate(goods=Sum(F("lines__unit_price") * F("lines__quantity")))
    for order in sums:
        assert order.total - order.goods in {Decimal(fee) for fee in ("0", "4.95", "12.95", "14.95")}
        assert order.paid_total in {Decimal(0), order.total}
    refunded = Order.objects.annotate(given=Sum("refunds__amount", filter=~Q(refunds__status="rejected")))
    assert not refunded.exclude(refunded_total=F("given")).exclude(refunded_total=0, given=None).exists()
    for parcel in Return.objects.filter(status="refunded").select_related("order"):
        if parcel.order.paid_total:
            assert Refund.objects.filter(order=parcel.order, reason=f"Return {parcel.number}.").count() == 1
    assert not OrderLine.objects.filter(returned_quantity__gt=0).exclude(order__returns__status="refunded").exists()


def test_events_have_no_gap_and_end_with_their_conversation() -> None:
    counted = Event.objects.values("conversation").annotate(n=Count("pk"), first=Min("seq"), last=Max("seq"))
    assert not [row for row in counted if row["first"] != 1 or row["n"] != row["last"]]
    last = dict(Event.objects.values_list("conversation").annotate(Max("seq")))
    assert all(last[key] == seq for key, seq in Conversation.objects.values_list("pk", "last_seq"))
    assert not Message.objects.filter(events=None).exists()
    assert not Message.objects.exclude(events__seq=F("seq")).exists()


def test_statuses_follow_from_the_last_status_event() -> None:
    last: dict[Any, str] = {}
    for event in Event.objects.filter(type="status").order_by("seq"):
        last[event.conversation_id] = event.payload["status"]
    for conversation in Conversation.objects.all():
        assert conversation.status == last.get(conversation.pk, "ai")
        is_open = conversation.escalations.filter(status__in=["waiting", "claimed"]).exists()
        assert is_open == (conversation.status in {"waiting", "human"})


def test_every_turn_ended_and_its_costs_are_the_sum_of_real_prices() -> None:
    assert not Turn.objects.filter(state__in=["queued", "running"]).exists()
    for step in Step.objects.exclude(model=""):
        usage = Usage(step.input_tokens, step.output_tokens, step.cache_read_tokens, step.cache_write_tokens)
        assert step.cost_usd == cost_usd(step.model, usage)
    totals = Turn.objects.annotate(usd=Sum("steps__cost_usd"), out=Sum("steps__output_tokens"), n=Count("steps"))
    assert not totals.exclude(usd=F("cost_usd"), out=F("output_tokens"), n=F("step_count")).exists()
    spent = Spend.objects.filter(scope="conversation").aggregate(usd=Sum("spent_usd"))["usd"]
    cost = Turn.objects.aggregate(usd=Sum("cost_usd"))["usd"]
    assert abs(spent - cost) < Decimal("0.001")


def test_confirmed_actions_point_at_what_they_did() -> None:
    done = Action.objects.filter(state="done")
    assert done.count() >= 50
    made = Q(made_return=None) & Q(made_refund=None) & Q(made_problem=None)
    unmade = done.filter(made).exclude(tool__in=["cancel_order", "update_customer"])
    assert not unmade.exists()
    for call in ToolCall.objects.exclude(action=None).select_related("action"):
        assert call.action is not None
        assert call.status == ("success" if call.action.state == "done" else "pending_confirmation")
    assert not Action.objects.filter(turn_id=None).exists()


def test_sources_lead_to_published_articles() -> None:
    known = {f"/help/{slug}/" for slug in Article.objects.filter(status="published").values_list("slug", flat=True)}
    cited = [source["url"] for sources in Message.objects.values_list("sources", flat=True) for source in sources]
    assert cited
    assert set(cited) <= known
