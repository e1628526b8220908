"""Orders: what is in them, where they are, cancelling them, and what went wrong with their delivery."""

from __future__ import annotations

from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from support_agent.agent.toolkit import Arguments, Category, Json, Tool, ToolContext, ToolResult
from support_agent.tools.common import OrderNumber, for_customer, money, propose, refused, stamp, success
from tickets import languages, policy
from tickets.backends import backend, who_of
from tickets.backends.records import LineRecord, OrderRecord, ParcelRecord
from tickets.errors import NotFound
from tickets.models import Customer
from tickets.services.eligibility import problem_check
from tickets.services.orders import NO_ORDER

MAX_LINES, MAX_PARCELS, MAX_EVENTS = 20, 5, 5
KINDS = {
    "lost": gettext_lazy("Report that order %(number)s was lost"),
    "late": gettext_lazy("Report that order %(number)s is late"),
    "damaged": gettext_lazy("Report that order %(number)s arrived damaged"),
    "wrong_item": gettext_lazy("Report that order %(number)s arrived with a wrong item"),
    "missing_item": gettext_lazy("Report that order %(number)s arrived with an item missing"),
}
WISHES = {  # each follows one of the above
    "replacement": gettext_lazy("and ask for a replacement"),
    "refund": gettext_lazy("and ask for a refund"),
    "wait": gettext_lazy("and wait for it"),
}


class LookupOrder(Arguments):
    order_number: OrderNumber


class TrackShipment(Arguments):
    order_number: OrderNumber


class CancelOrder(Arguments):
    order_number: OrderNumber
    reason: str = Field(description="Why, in a few words of the customer's.", min_length=1, max_length=300)


class ReportDeliveryProblem(Arguments):
    order_number: OrderNumber
    kind: Literal["lost", "late", "damaged", "wrong_item", "missing_item"] = Field(description="What went wrong.")
    wish: Literal["replacement", "refund", "wait"] = Field(description="What the customer wants us to do.")


def own_order(customer: Customer, order_number: str) -> OrderRecord:
    """The customer's order; another's and a missing one raise the same NotFound."""
    order = backend().order(who_of(customer), order_number)
    if order is None:
        raise NotFound(NO_ORDER)
    return order


@for_customer
def lookup_order(context: ToolContext, arguments: LookupOrder, customer: Customer) -> ToolResult:
    order = own_order(customer, arguments.order_number)
    lines, parcels, returns = order.lines, order.parcels, order.returns
    shown: Json = {
        "order_number": order.order_number,
        "status": order.status,
        "placed_at": stamp(order.placed_at),
        "delivered_at": stamp(order.delivered_at),
        "total": money(order.total),
        "paid": money(order.paid),
        "refunded": money(order.refunded),
        "currency": order.currency,
        "shipping_method": order.shipping_method,
        "shipping_address": order.shipping_address,
        "lines": [_line(line) for line in lines[:MAX_LINES]],
        "shipments": [_parcel(parcel) for parcel in parcels[:MAX_PARCELS]],
        "returns": [
            {
                "number": parcel.number,
                "status": parcel.status,
                "skus": [item.sku for item in parcel.items],
            }
            for parcel in returns[:MAX_PARCELS]
        ],
        "can_cancel": policy.can_cancel(order.status).ok,
        "return_until": stamp(policy.return_until(order.delivered_at)),
    }
    rest = {"lines": len(lines) - MAX_LINES, "shipments": len(parcels) - MAX_PARCELS}
    shown |= {f"more_{name}": count for name, count in rest.items() if count > 0}
    return success(order=shown, note=order.note or None)


@for_customer
def track_shipment(context: ToolContext, arguments: TrackShipment, customer: Customer) -> ToolResult:
    order = own_order(customer, arguments.order_number)
    parcels = order.parcels
    data: Json = {"order_number": order.order_number, "order_status": order.status}
    if not parcels:
        return success(**data, shipments=[], message=_("Nothing of this order has been shipped yet."))
    names = {line.sku: line.shown_name for line in order.lines}
    shown = [
        {
            **_parcel(parcel),
            "items": [names[sku] for sku in parcel.skus if sku in names],
            "events": [
                {"at": stamp(scan.at), "location": scan.location, "description": scan.description}
                for scan in parcel.scans[:MAX_EVENTS]
            ],
        }
        for parcel in parcels[:MAX_PARCELS]
    ]
    if len(parcels) > MAX_PARCELS:
        data["more_shipments"] = len(parcels) - MAX_PARCELS
    return success(**data, shipments=shown)


@for_customer
def cancel_order(context: ToolContext, arguments: CancelOrder, customer: Customer) -> ToolResult:
    order = own_order(customer, arguments.order_number)
    verdict = policy.can_cancel(order.status)
    if not verdict.ok:
        return refused(verdict.code, verdict.message)
    back = order.paid - order.refunded
    preview: Json = {
        "order_number": order.order_number,
        "items": [{"name": line.shown_name, "quantity": line.quantity} for line in order.lines[:MAX_LINES]],
        "refund": money(back),
        "currency": order.currency,
        "undo_minutes": policy.POLICY.undo_minutes,
    }
    words = {"number": order.order_number, "amount": languages.money(back, order.currency)}
    if back:
        summary = _("Cancel order %(number)s and get %(amount)s back") % words
    else:
        summary = _("Cancel order %(number)s") % words
    return propose(
        context,
        customer,
        tool="cancel_order",
        arguments=arguments.model_dump(mode="json"),
        summary=summary,
        preview=preview,
    )


@for_customer
def report_delivery_problem(context: ToolContext, arguments: ReportDeliveryProblem, customer: Customer) -> ToolResult:
    order = own_order(customer, arguments.order_number)
    problem_check(order, arguments.kind, now=timezone.now())
    words = {"number": order.order_number}
    return propose(
        context,
        customer,
        tool="report_delivery_problem",
        arguments=arguments.model_dump(mode="json"),
        summary=f"{KINDS[arguments.kind] % words}, {WISHES[arguments.wish]}",
        preview={"order_number": order.order_number, "kind": arguments.kind, "wish": arguments.wish},
    )


def _line(line: LineRecord) -> Json:
    return {
        "sku": line.sku,
        "name": line.name,
        "variant": line.variant,
        "quantity": line.quantity,
        "unit_price": money(line.unit_price),
        "returned": line.returned,
    }


def _parcel(parcel: ParcelRecord) -> Json:
    return {
        "tracking_number": parcel.tracking_number,
        "carrier": parcel.carrier,
        "status": parcel.status,
        "estimated_delivery": stamp(parcel.estimated_delivery),
        "delivered_at": stamp(parcel.delivered_at),
    }


TOOLS = [
    Tool(
        name="lookup_order",
        description=(
            "Look up one order of the customer you are talking to: status, items, amounts, parcels, returns, whether "
            "it can be cancelled and until when it can be returned. Use when the question is about a certain order "
            "and you have its number. Do not use when only the parcel's way matters (use track_shipment), or to "
            "guess numbers: ask the customer, or see lookup_customer for their orders."
        ),
        arguments=LookupOrder,
        run=lookup_order,
        category=Category.LOOKUP,
        label=gettext_lazy("Looking up your order …"),
    ),
    Tool(
        name="track_shipment",
        description=(
            "See where the parcels of an order are: carrier, tracking number, estimated delivery, latest scans. Use "
            "when the customer asks where an order is or when it arrives. Do not use when they ask about items, "
            "amounts, returns or cancelling (use lookup_order)."
        ),
        arguments=TrackShipment,
        run=track_shipment,
        category=Category.LOOKUP,
        label=gettext_lazy("Tracking your parcel …"),
    ),
    Tool(
        name="cancel_order",
        description=(
            "Offer to cancel a whole order; what was paid goes back. Use when the customer wants to cancel an order "
            "that is pending or paid. It happens only when they confirm it themselves. Do not use when the order is "
            "packed, shipped or delivered (then it can be returned), or to cancel single items (create a ticket)."
        ),
        arguments=CancelOrder,
        run=cancel_order,
        category=Category.MUTATION,
        label=gettext_lazy("Preparing the cancellation …"),
    ),
    Tool(
        name="report_delivery_problem",
        description=(
            "Offer to report that an order was lost, is late, or arrived damaged, wrong or incomplete, with what the "
            "customer wants: a replacement, a refund or to wait. Use when a delivery went wrong. It is sent only when "
            "they confirm it themselves; a person then looks into it. Do not use when the customer just changed their "
            "mind (use request_return), or only asks where the parcel is (use track_shipment)."
        ),
        arguments=ReportDeliveryProblem,
        run=report_delivery_problem,
        category=Category.MUTATION,
        label=gettext_lazy("Preparing the report …"),
    ),
]
