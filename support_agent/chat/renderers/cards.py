"""Cards of what was found, in the reader's language: words for their states, their times parsed, their steps in order.

`cards_context` takes the snapshots of a message (runtime/cards.py makes them) and gives what `templates/chat/cards/`
shows; `card_spoken` is the same for those who listen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.signing import TimestampSigner
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets import languages

Json = dict[str, Any]
LINES_SHOWN = 4
LABEL_LINK = "tickets.return_label"

TITLES = {
    "order": _("Order {id}"),
    "shipment": _("Parcel {id}"),
    "return": _("Return {id}"),
    "refund": _("Refund for order {order_number}"),
    "ticket": _("Ticket {id}"),
    "article": _("{title}"),
}
STATES = {
    "order": {
        "pending": _("waiting for its payment"),
        "paid": _("paid, waiting to be packed"),
        "packed": _("packed, about to leave us"),
        "shipped": _("on its way"),
        "delivered": _("delivered"),
        "cancelled": _("cancelled"),
        "partly_returned": _("partly returned"),
        "returned": _("returned"),
        "refunded": _("refunded"),
    },
    "shipment": {
        "pending": _("not picked up by the carrier yet"),
        "in_transit": _("on its way"),
        "delayed": _("delayed"),
        "delivered": _("delivered"),
        "lost": _("recorded as lost"),
        "returned": _("on its way back to us"),
    },
    "return": {
        "label_sent": _("waiting for your parcel"),
        "received": _("your parcel is here"),
        "refunded": _("refunded"),
        "rejected": _("not accepted"),
        "cancelled": _("cancelled"),
    },
    "refund": {"approved": _("on its way to you"), "paid": _("paid out"), "rejected": _("not paid out")},
    "ticket": {
        "open": _("open"),
        "pending": _("waiting for you"),
        "solved": _("solved"),
        "closed": _("closed"),
    },
}
TONES = {  # what is good news and what is not; the rest is neither
    "delivered": "good",
    "delayed": "warn",
    "lost": "bad",
    "rejected": "bad",
    "refunded": "good",
    "paid_out": "good",
}
METHODS = {"original": _("the payment method of the order")}


def cards_context(cards: Sequence[Json], *, said_at: datetime | None) -> list[Json]:
    """What the templates show of a message's cards; those of a kind that this version does not know are left out."""
    return [card_context(card, said_at=said_at) for card in cards if card.get("kind") in TITLES]


def card_context(card: Json, *, said_at: datetime | None = None) -> Json:
    """One card: `title`, `state_words`, `tone`, `template`, and what its kind needs besides its own fields."""
    kind, status = card["kind"], str(card.get("status", ""))
    state = STATES.get(kind, {}).get(status, "")
    # Without `items` of its own a template would find the dict's method of that name.
    tone = "good" if (kind, status) == ("refund", "paid") else TONES.get(status, "")
    shown = {"items": [], **card, "title": _title(card), "state_words": capfirst(str(state)), "tone": tone}
    shown["template"] = f"chat/cards/{kind}.html"
    return shown | _MORE.get(kind, _nothing)(card, said_at)


def card_spoken(card: Json) -> str:
    """One line for those who listen: 'Order AP-104233, on its way'."""
    state = STATES.get(card["kind"], {}).get(str(card.get("status", "")), "")
    title = _title(card)
    if card["kind"] == "article":
        title = gettext("Article: {title}").format(title=title)
    if card["kind"] == "refund":
        title = f"{title}, {money(card['amount'], card['currency'])}"
    return f"{title}, {state}" if state else title


def _title(card: Json) -> str:
    return str(TITLES[card["kind"]]).format_map({"id": "", "title": "", "order_number": "", **card})


def money(amount: Any, currency: str) -> str:
    """As tickets.languages writes it; what is no amount, in a card kept from before, as it stands there."""
    try:
        return languages.money(str(amount), currency)
    except InvalidOperation:
        return f"{amount} {currency}"


def label_token(number: str) -> str:
    """What opens the label of a return without a session, for as long as views.returns takes it."""
    return TimestampSigner(salt=LABEL_LINK).sign(number).partition(":")[2]


def _order(card: Json, _: datetime | None) -> Json:
    currency = card.get("currency", "")
    lines = [_line(line, currency) for line in card.get("lines", [])]
    more = int(card.get("more_lines") or 0)
    return {
        "first_lines": lines[:LINES_SHOWN] if len(lines) > LINES_SHOWN + 1 else lines,
        "other_lines": lines[LINES_SHOWN:] if len(lines) > LINES_SHOWN + 1 else [],
        "count": len(lines) + more,
        "more": more,
        "placed": moment(card.get("placed_at")),
        "total_words": money(card["total"], currency) if card.get("total") else "",
        "refunded_words": money(card["refunded"], currency) if is_some(card.get("refunded")) else "",
    }


def _line(line: Json, currency: str) -> Json:
    quantity, each = int(line.get("quantity") or 1), Decimal(str(line.get("unit_price") or 0))
    name = f"{line['name']}, {line['variant']}" if line.get("variant") else line["name"]
    return {
        "name": name,
        "quantity": quantity,
        "price": money(quantity * each, currency),
        "each": money(each, currency) if quantity > 1 else "",
    }


def _shipment(card: Json, said_at: datetime | None) -> Json:
    """The way so far, oldest first, the newest step marked; what is still to come stands after it."""
    estimate, delivered = day(card.get("estimated_delivery")), moment(card.get("delivered_at"))
    status = card.get("status", "")
    steps = [
        {"at": moment(event.get("at")), "words": event.get("description", ""), "place": event.get("location", "")}
        for event in reversed(card.get("events", []))
    ]
    if not steps and status in STATES["shipment"]:
        steps = [{"at": delivered, "words": capfirst(str(STATES["shipment"][status])), "place": ""}]
    is_open = status in ("pending", "in_transit", "delayed")
    late = bool(is_open and estimate and said_at and said_at.date() > estimate)
    return {
        "steps": [{**step, "is_current": place == len(steps)} for place, step in enumerate(steps, 1)],
        "estimate": estimate if is_open else None,
        "delivered": delivered,
        "is_late": late,
        "is_delayed": status == "delayed",
        "tone": "warn" if late else TONES.get(status, ""),
    }


def _return(card: Json, _: datetime | None) -> Json:
    fee = card.get("fee")
    is_open = card.get("status") == "label_sent"
    return {
        "send_by_day": day(card.get("send_by")) if is_open else None,
        "fee_words": money(fee, card.get("currency", "")) if is_some(fee) else "",
        "label_url": f"{card['url']}?key={label_token(card['id'])}" if is_open and card.get("url") else "",
    }


def _refund(card: Json, _: datetime | None) -> Json:
    return {
        "amount_words": money(card["amount"], card["currency"]),
        "method_words": METHODS.get(card.get("method", ""), ""),
        "when": moment(card.get("at")),
    }


def _nothing(card: Json, said_at: datetime | None) -> Json:
    return {}


_MORE = {"order": _order, "shipment": _shipment, "return": _return, "refund": _refund}


def moment(value: Any) -> datetime | None:
    """An ISO moment."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


def day(value: Any) -> date | None:
    """An ISO date."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


def is_some(amount: Any) -> bool:
    """Whether it is an amount of anything."""
    try:
        return Decimal(str(amount or 0)) != 0
    except InvalidOperation:
        return False
