"""Sending things back, and money back without sending anything."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from support_agent.agent.toolkit import Arguments, Category, Json, Tool, ToolContext, ToolResult
from support_agent.tools.common import OrderNumber, for_customer, invalid, money, propose
from support_agent.tools.orders import own_order
from tickets import languages, policy
from tickets.backends import backend, who_of
from tickets.models import Customer
from tickets.services.accounts import account_of
from tickets.services.eligibility import refund_check, refunds_count_since, refunds_pending, return_check


class RequestReturn(Arguments):
    order_number: OrderNumber
    skus: list[str] = Field(
        description="The SKUs of the items to send back, as lookup_order shows them; each with all its pieces.",
        min_length=1,
        max_length=20,
    )
    reason: str = Field(description="Why, in a few words of the customer's.", min_length=1, max_length=300)


class RequestRefund(Arguments):
    order_number: OrderNumber
    amount: Decimal = Field(
        description="How much to refund, in the order's currency, for example 12.50.",
        gt=0,
        max_digits=9,
        decimal_places=2,
    )
    reason: str = Field(description="Why, in a few words of the customer's.", min_length=1, max_length=300)


@for_customer
def request_return(context: ToolContext, arguments: RequestReturn, customer: Customer) -> ToolResult:
    order = own_order(customer, arguments.order_number)
    lines = {line.sku: line for line in order.lines}
    skus = sorted({sku.strip().upper() for sku in arguments.skus})
    if unknown := [sku for sku in skus if sku not in lines]:
        return invalid(skus=f"this order has no {', '.join(unknown)}; it has {', '.join(lines)}")
    items = return_check(order, skus)
    fee = policy.return_fee(account_of(customer).plan)
    worth = sum((lines[item.sku].unit_price * item.left for item in items), policy.ZERO)
    preview: Json = {
        "order_number": order.order_number,
        "items": [{"sku": item.sku, "name": item.name, "quantity": item.left} for item in items],
        "fee": money(fee),
        "expected_refund": money(max(worth - fee, policy.ZERO)),
        "currency": order.currency,
        "undo_minutes": policy.POLICY.undo_minutes,
    }
    named = ", ".join(f"{item.left} × {item.name}" for item in items)
    words = {"items": named, "number": order.order_number, "fee": languages.money(fee, order.currency)}
    if fee:
        summary = _("Send back %(items)s of order %(number)s; the label costs %(fee)s") % words
    else:
        summary = _("Send back %(items)s of order %(number)s; the label is free") % words
    return propose(
        context,
        customer,
        tool="request_return",
        arguments={"order_number": order.order_number, "skus": skus, "reason": arguments.reason},
        summary=summary,
        preview=preview,
    )


@for_customer
def request_refund(context: ToolContext, arguments: RequestRefund, customer: Customer) -> ToolResult:
    now, amount = timezone.now(), arguments.amount.quantize(policy.CENT)
    pending = refunds_pending(customer_id=customer.pk, order_number=arguments.order_number)
    order = own_order(customer, arguments.order_number)
    recent = backend().refunds_since(who_of(customer), refunds_count_since(now))
    needs_approval = refund_check(order, recent, amount=amount, pending=pending, now=now)
    preview: Json = {
        "order_number": order.order_number,
        "amount": money(amount),
        "currency": order.currency,
        "refundable": money(order.paid - order.refunded),
        "needs_approval": needs_approval,
    }
    words = {"amount": languages.money(amount, order.currency), "number": order.order_number}
    if needs_approval:
        summary = _("Refund %(amount)s of order %(number)s (a person approves it first)") % words
    else:
        summary = _("Refund %(amount)s of order %(number)s") % words
    return propose(
        context,
        customer,
        tool="request_refund",
        arguments={"order_number": order.order_number, "amount": money(amount), "reason": arguments.reason},
        summary=summary,
        preview=preview,
    )


TOOLS = [
    Tool(
        name="request_return",
        description=(
            "Offer to send back items of a delivered order: a return number and a label by e-mail, the money once the "
            "parcel is here. Use when the customer wants to return or exchange items and you know the order and its "
            "SKUs (see lookup_order). It happens only when they confirm it themselves. Do not use when the order has "
            "not arrived, or when it arrived damaged, wrong or incomplete (use report_delivery_problem)."
        ),
        arguments=RequestReturn,
        run=request_return,
        category=Category.MUTATION,
        label=gettext_lazy("Preparing the return …"),
    ),
    Tool(
        name="request_refund",
        description=(
            "Offer to refund part or all of a paid order without a return, for example after a price error or a late "
            "or damaged delivery. Use when the customer wants money back and the order and amount are known. It "
            "happens only when they confirm it themselves; larger sums are approved by a person after that. Do not "
            "use when the items are to be sent back (a return refunds them), to cancel an order that is not yet "
            "packed, or to decide eligibility yourself: the tool decides."
        ),
        arguments=RequestRefund,
        run=request_refund,
        category=Category.MUTATION,
        label=gettext_lazy("Checking the refund …"),
    ),
]
