"""Handlers about the account: profile, invoices, lists of orders and tickets, identity, new tickets."""

from __future__ import annotations

import re
from typing import Any

from support_agent.llm.demo import questions, wording
from support_agent.llm.demo.desk import Desk
from support_agent.llm.demo.tasks import Task

Json = dict[str, Any]
FIELD_WORDS = {"name": "name", "phone": "phone number", "shipping_address": "delivery address"}
_OF_ORDER = re.compile(
    r"\b(order|parcel|package|it|checkout|shipment|delivery to|ship it|send it)\b(?! confirmation)", re.I
)
_OFF = re.compile(r"\b(stop|unsubscribe|no more|opt out|off|remove|not|without|cancel|quit|spam|never)\b", re.I)


def update(desk: Desk, task: Task) -> str:
    """A profile field; an order's own address goes to the team, as does what no tool can change."""
    field, text = task.slots.field, task.text
    if field in ("", "shipping_address") and (task.slots.orders or (field and _OF_ORDER.search(text))):
        return _order_address(desk, task)
    desk.identify()
    if field == "email":
        return f"I cannot change the e-mail address of an account from here. {questions.OFFER_TICKET}"
    if not field:
        return questions.WHICH_FIELD
    value: str | bool = not _OFF.search(text) if field == "marketing_opt_in" else task.slots.value
    if value == "":
        return f"{questions.NEW_VALUE} {FIELD_WORDS[field]}?"
    if desk.offers("update_customer"):
        return wording.proposal(desk.call("update_customer", field=field, value=value))
    return questions.OFFER_TICKET if task.accepted else f"I can change that for you. {questions.OFFER_UPDATE}"


def _order_address(desk: Desk, task: Task) -> str:
    number = desk.order_number(task, wish="address")
    order = desk.order(number)
    if order.get("status") not in ("pending", "paid", "packed"):
        return f"{wording.order(order)} I cannot redirect it from here. {questions.OFFER_PERSON}"
    if not task.slots.value:
        return f"Order {number} has not left us yet. {questions.NEW_VALUE} delivery address?"
    return _ticket(
        desk,
        f"Change the delivery address of {number}",
        f"New address for {number}: {task.slots.value}",
        "high",
        "account",
    )


def invoice(desk: Desk, task: Task) -> str:
    """Rows of the billing history: those of the order or number or amount named, else the newest."""
    rows: list[Json] = desk.customer().get("billing") or []
    named = re.findall(r"INV-\d{6}", task.text.upper())
    chosen = [
        row
        for row in rows
        if row.get("order_number") in task.slots.orders
        or row.get("invoice") in named
        or row.get("amount") == task.slots.money
    ]
    if (task.slots.orders or named) and not chosen:
        return f"I do not see that one among the newest entries of your billing history. {questions.OFFER_PERSON}"
    if not rows:
        return "Your billing history is empty."
    listed = "\n".join(f"- {_invoice_row(row)}" for row in (chosen or rows)[:4])
    return f"From your billing history:\n\n{listed}"


def orders_list(desk: Desk, task: Task) -> str:
    orders = desk.customer().get("orders") or []
    return f"Your newest orders:\n\n{wording.order_choice(orders)}" if orders else "I see no orders in your account."


def account_info(desk: Desk, task: Task) -> str:
    """The fields asked for, or the short summary."""
    person: Json = desk.customer().get("customer") or {}
    told = {
        r"plan|plus|business|member(ship)?\b|paying": f"You are on the {_plan(person.get('plan'))} plan.",
        r"status|active|blocked|locked": f"Your account is {person.get('status')}.",
        r"address|live": f"Your delivery address on file: {person.get('shipping_address')}.",
        r"e-mail": f"The e-mail address on your account is {person.get('email')}.",
        r"phone|number|mobile": f"The phone number on file is {person.get('phone') or 'empty'}.",
        r"since|when|how long": f"You have been a customer since {wording.day(person.get('member_since'))}.",
        r"newsletter|marketing|subscribed": f"The newsletter is {'on' if person.get('marketing_opt_in') else 'off'}.",
    }
    text = task.text.lower().replace("email", "e-mail")
    chosen = [said for pattern, said in told.items() if re.search(rf"\b({pattern})", text)]
    return " ".join(chosen[:3] or list(told.values())[:3])


def ticket_status(desk: Desk, task: Task) -> str:
    rows: list[Json] = desk.customer().get("recent_tickets") or []
    named = re.findall(r"T-\d{5}", task.text.upper())
    chosen = [row for row in rows if row.get("number") in named] or rows[:3]
    if not rows or (named and chosen[0].get("number") not in named):
        return f"I do not see that ticket among your newest ones. {questions.OFFER_PERSON}"
    return "\n".join(
        f"Ticket {row.get('number')} ({row.get('subject')}), opened {wording.day(row.get('created_at'))}, is "
        f"{str(row.get('status', '')).replace('_', ' ')}."
        for row in chosen
    )


def ticket(desk: Desk, task: Task) -> str:
    """A ticket needs something to say and an address to answer to."""
    about = task.slots.reason or (task.text if len(task.text.split()) > 7 else "")
    if not about:
        return questions.TICKET_ABOUT
    return _ticket(desk, _subject(about), about, "medium", _category(about), task.slots.email)


def _ticket(desk: Desk, subject: str, body: str, priority: str, category: str, email: str = "") -> str:
    address = desk.situation.email or email or desk.dialogue.email
    if not address:
        return f"I can open a ticket for our team. {questions.TICKET_EMAIL}"
    data = (
        desk.call(
            "create_ticket",
            customer_email=address,
            subject=subject[:120],
            body=body[:2000],
            priority=priority,
            category=category,
        ).get("ticket")
        or {}
    )
    about = data.get("subject") or subject
    return f"I have opened ticket {data.get('number')} for our team: “{about}”. They answer by e-mail."


def _subject(about: str) -> str:
    """The first clause, at most a line."""
    clause = re.split(r"(?<=[.!?;:])\s|,\s", re.sub(r"^.{0,40}\bticket\b\W*", "", about, flags=re.I) or about)[0]
    return " ".join(clause.split()[:14]).rstrip(".,;:")


def _category(about: str) -> str:
    hints = {
        "technical": r"app|site|website|checkout|watch|trailmate|beacon|sync|error|bug|crash",
        "billing": r"invoice|charge|refund|payment|paid|card|price",
        "account": r"account|password|log ?in|e-?mail|address|newsletter",
    }
    return next((name for name, words in hints.items() if re.search(rf"\b({words})", about, re.I)), "product")


def verify(desk: Desk, task: Task) -> str:
    if desk.situation.verified:
        return "Thank you, you are verified in this chat. What would you like me to look up?"
    desk.identify()
    desk.customer()
    return "Thank you, I have found your account. What would you like to know?"


def _invoice_row(row: Json) -> str:
    order = f" for order {row['order_number']}" if row.get("order_number") else ""
    amount = wording.money(row.get("amount"), row.get("currency"))
    state = str(row.get("status", "")).replace("_", " ")
    return f"{row.get('invoice')}, {wording.day(row.get('date'))}, {amount}, {state}{order}"


def _plan(code: Any) -> str:
    """The name that customers know: the code value of Business is `enterprise`."""
    return {"enterprise": "Business", "paying": "Plus"}.get(str(code), str(code or "Free").capitalize())
