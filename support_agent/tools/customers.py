"""Looking up the verified customer's own account, and changing one field of it."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from support_agent.agent.toolkit import Arguments, Category, Json, Status, Tool, ToolContext, ToolResult
from support_agent.tools.common import for_customer, money, propose, refused, stamp, success
from tickets.backends import backend, who_of
from tickets.models import Customer
from tickets.selectors.customers import tickets_recent
from tickets.services.accounts import account_of
from tickets.services.customers import customer_clean

ROWS = 5
NO_CUSTOMER = "There is no such customer for this conversation."
SUMMARIES = {
    "name": gettext_lazy("Change your name to %(value)s"),
    "phone": gettext_lazy("Change your phone number to %(value)s"),
    "shipping_address": gettext_lazy("Change your shipping address to %(value)s"),
}


class LookupCustomer(Arguments):
    email: str = Field(description="The customer's e-mail address, as they wrote it.", max_length=254)


class UpdateCustomer(Arguments):
    field: Literal["name", "phone", "shipping_address", "marketing_opt_in"] = Field(
        description="Which detail to change."
    )
    value: bool | str = Field(
        description="The new value, exactly as the customer gave it; for marketing_opt_in true or false.",
    )


@for_customer
def lookup_customer(context: ToolContext, arguments: LookupCustomer, customer: Customer) -> ToolResult:
    if arguments.email.casefold() != customer.email.casefold():
        return ToolResult(Status.NOT_FOUND, {"message": NO_CUSTOMER})
    account, who = account_of(customer), who_of(customer)
    orders, more = backend().orders(who, limit=ROWS)
    return success(
        customer={
            "name": account.name,
            "email": account.email,
            "plan": account.plan,
            "status": account.status,
            "phone": account.phone,
            "member_since": stamp(account.member_since),
            "marketing_opt_in": account.marketing_opt_in,
            "shipping_address": account.shipping_address,
        },
        recent_tickets=[
            {
                "number": ticket.number,
                "subject": ticket.subject,
                "status": ticket.status,
                "created_at": stamp(ticket.created_at),
            }
            for ticket in tickets_recent(customer_id=customer.pk, limit=ROWS)
        ],
        billing=[
            {
                "invoice": invoice.number,
                "date": stamp(invoice.issued_at.date()),
                "amount": money(invoice.amount),
                "currency": invoice.currency,
                "status": invoice.status,
                "order_number": invoice.order_number or None,
            }
            for invoice in backend().invoices(who, limit=ROWS)
        ],
        orders=[
            {
                "order_number": order.order_number,
                "status": order.status,
                "placed_at": stamp(order.placed_at),
                "total": money(order.total),
            }
            for order in orders
        ],
        more_orders=more,
    )


@for_customer
def update_customer(context: ToolContext, arguments: UpdateCustomer, customer: Customer) -> ToolResult:
    field, account = arguments.field, account_of(customer)
    after = customer_clean(field, arguments.value, locale=account.locale)
    before = getattr(account, field)
    if after == before:
        return refused("unchanged", _("That is already what we have on file."))
    shown: Json = {"field": field, "before": before, "after": after}
    if isinstance(after, bool):
        summary = _("Turn marketing e-mails on") if after else _("Turn marketing e-mails off")
    else:
        summary = SUMMARIES[field] % {"value": after.replace("\n", ", ")}
    return propose(
        context,
        customer,
        tool="update_customer",
        arguments={"field": field, "value": after},
        summary=summary,
        preview=shown,
    )


TOOLS = [
    Tool(
        name="lookup_customer",
        description=(
            "Look up the account of the customer you are talking to: plan, account status, contact details, latest "
            "tickets, invoices and orders. Use when the question is about their plan, billing history, details on "
            "file, or which orders they have. Do not use when you already know the order number (use lookup_order), "
            "or for any other person: it only ever shows this customer's own account."
        ),
        arguments=LookupCustomer,
        run=lookup_customer,
        category=Category.LOOKUP,
        label=gettext_lazy("Looking up your account …"),
    ),
    Tool(
        name="update_customer",
        description=(
            "Offer to change one detail of the customer's account: name, phone, shipping address or marketing "
            "e-mails. Use when the customer wants it changed and has given the new value. The change happens only "
            "when they confirm it themselves. Do not use when the value is missing (ask for it), for the e-mail "
            "address, password or plan, or for the address of an order that is already placed."
        ),
        arguments=UpdateCustomer,
        run=update_customer,
        category=Category.MUTATION,
        label=gettext_lazy("Preparing the change …"),
    ),
]
