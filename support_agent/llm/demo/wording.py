"""Tool results in plain words. Every figure said here is copied from a result; nothing is counted or estimated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

Json = dict[str, Any]

ORDER_STATE = {
    "pending": "is waiting for its payment",
    "paid": "is paid and waiting to be packed",
    "packed": "is packed and about to leave us",
    "shipped": "is on its way",
    "delivered": "was delivered",
    "cancelled": "was cancelled",
    "partly_returned": "was delivered and partly returned",
    "returned": "was returned",
    "refunded": "was refunded",
}
SHIPMENT_STATE = {
    "pending": "has not been picked up by the carrier yet",
    "in_transit": "is on its way",
    "delayed": "is delayed",
    "delivered": "was delivered",
    "lost": "is recorded as lost",
    "returned": "is on its way back to us",
}
SHORT_STATE = {"pending": "waiting for payment", "partly_returned": "partly returned"}


def day(iso: str | None) -> str:
    """'2026-11-18' or a timestamp as '18 November 2026'; anything else as it is."""
    try:
        moment = datetime.fromisoformat((iso or "").replace("Z", "+00:00"))
    except ValueError:
        return iso or ""
    return f"{moment.day} {moment:%B %Y}"


def money(amount: Any, currency: str | None = "USD") -> str:
    """'129.00' as '$129.00', or with its currency code when that is not USD."""
    return f"${amount}" if (currency or "USD") == "USD" else f"{amount} {currency}"


def listing(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""


def item(line: Json) -> str:
    """An order line's name: 'Summit Tent (slate blue)'."""
    variant = line.get("variant")
    return f"{line.get('name', 'item')} ({variant})" if variant else str(line.get("name", "item"))


def items(lines: Sequence[Json], most: int = 4) -> str:
    named = [item(line) for line in lines[:most]]
    return listing([*named, "more"] if len(lines) > most else named)


def shipment(parcel: Json, many: bool = False) -> str:
    """One parcel: its state, estimate and newest scan."""
    number, carrier = parcel.get("tracking_number"), parcel.get("carrier")
    contents = parcel.get("items")
    which = f"The parcel with {listing([_name(part) for part in contents])}" if many and contents else "The parcel"
    state = str(parcel.get("status", ""))
    text = f"{which} {SHIPMENT_STATE.get(state, state)}"
    if state == "delivered" and parcel.get("delivered_at"):
        text += f" on {day(parcel['delivered_at'])}"
    text += f", {carrier} {number}." if carrier and number else "."
    if state in ("pending", "in_transit", "delayed") and parcel.get("estimated_delivery"):
        text += f" Estimated delivery: {day(parcel['estimated_delivery'])}."
    if events := parcel.get("events"):
        newest = events[0]
        where = f" in {newest['location']}" if newest.get("location") else ""
        text += f" Latest scan, {day(newest.get('at'))}{where}: {str(newest.get('description', '')).rstrip('.')}."
    return text


def tracking(data: Json) -> str:
    number, parcels = data.get("order_number"), data.get("shipments") or []
    if not parcels:
        state = str(data.get("order_status", ""))
        said = f"Order {number} {ORDER_STATE.get(state, state)}." if state else ""
        return f"{said} {_sentence(data.get('message') or 'Nothing has been handed to a carrier yet.')}".strip()
    lead = f"Order {number}: " if len(parcels) == 1 else f"Order {number} comes in several parcels.\n\n"
    texts = [shipment(parcel, many=len(parcels) > 1) for parcel in parcels[:3]]
    if len(parcels) == 1:
        return lead + texts[0][0].lower() + texts[0][1:]
    return lead + "\n".join(f"- {text}" for text in texts)


def order_state(data: Json) -> str:
    """'Order AP-104233 from 17 November 2026 is on its way.'"""
    state = str(data.get("status", ""))
    when = f" on {day(data['delivered_at'])}" if state == "delivered" and data.get("delivered_at") else ""
    return f"Order {data.get('order_number')} from {day(data.get('placed_at'))} {ORDER_STATE.get(state, state)}{when}."


def order(data: Json) -> str:
    """An order's state, contents and sums in a few sentences."""
    currency, text = data.get("currency"), order_state(data)
    if lines := data.get("lines"):
        text += f" It holds {items(lines)}; the total is {money(data.get('total'), currency)}."
    if float(data.get("refunded") or 0) > 0:
        text += f" {money(data['refunded'], currency)} has been refunded."
    for parcel in (data.get("shipments") or [])[:2]:
        if parcel.get("status") in ("pending", "in_transit", "delayed", "lost"):
            text += f" {shipment(parcel)}"
    for back in (data.get("returns") or [])[:2]:
        text += f" Return {back.get('number')} is {_plain(back.get('status'))}."
    return text


def order_choice(rows: Sequence[Json]) -> str:
    """Orders as a short list to choose from."""
    return "\n".join(
        f"- {row.get('order_number')}, {day(row.get('placed_at'))}, {money(row.get('total'), row.get('currency'))}, "
        f"{SHORT_STATE.get(str(row.get('status')), _plain(row.get('status')))}"
        for row in rows
    )


def item_choice(lines: Sequence[Json]) -> str:
    return "\n".join(f"- {item(line)}" for line in lines)


def proposal(data: Json) -> str:
    """A prepared action: what the card says, and that nothing has happened yet."""
    text = f"I have prepared this: {_sentence(data.get('summary') or 'the change you asked for')}"
    if data.get("status") == "awaiting_staff":
        return f"{text} A colleague has to approve it; you will see the outcome here."
    text += " Please check the card and press Confirm; nothing happens before that."
    if (data.get("preview") or {}).get("needs_approval") and "approve" not in text:
        text += " After that a colleague approves it, because of the amount."
    return text


def trouble(name: str, data: Json) -> str:
    """A result that is no success, told as what it is; what could not be fetched is never told as missing."""
    status, message = data.get("status"), _sentence(data.get("message"))
    what = {
        "search_knowledge_base": "the help centre",
        "lookup_customer": "your account",
        "lookup_order": "that order",
        "track_shipment": "the carrier's tracking",
        "create_ticket": "our ticket desk",
        "verify_identity": "the sign-in code",
    }.get(name, "that")
    if status in ("degraded", "error") and (status == "degraded" or data.get("retryable") is not False):
        return (
            f"I could not reach {what} just now, so I cannot tell you yet. It does not mean that anything is missing."
        )
    if status == "not_found":
        return message or f"I could not find {what}."
    if status == "invalid_arguments":
        wrong = " ".join(_sentence(what) for what in (data.get("fields") or {}).values())
        return f"I could not do that with these details. {wrong}".strip()
    return message or f"That did not work with {what}."


def _name(part: Any) -> str:
    return item(part) if isinstance(part, dict) else str(part)


def _plain(word: Any) -> str:
    return str(word or "").replace("_", " ")


def _sentence(text: Any) -> str:
    """Ends like a sentence, or '' for nothing."""
    said = re.sub(r"\s+", " ", str(text or "")).strip()
    return said if not said or said[-1] in ".!?" else f"{said}."
