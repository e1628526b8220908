"""The cards under an answer: snapshots of what the turn's tools found, as far as the answer speaks of it.

A card is `kind`, `id` and what that kind shows, without words of ours: pages write those in their reader's language.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from support_agent.models import ToolCall, Turn
from tickets.backends import ask_soon, backend, who_of
from tickets.backends.port import Unreachable
from tickets.backends.records import Who
from tickets.models import Action, Customer, Message
from tickets.selectors.returns import refund_shown, return_shown

log = logging.getLogger(__name__)
Json = dict[str, Any]
MOST = 3
LOOKED_BACK = 50  # answers with cards
WAIT_S = 3.0  # an answer is not kept waiting for its cards
LINES = ("name", "variant", "quantity", "unit_price")
PARCEL = ("tracking_number", "carrier", "status", "estimated_delivery", "delivered_at", "items", "events")
SUMS = ("status", "placed_at", "total", "refunded", "currency", "more_lines")


def cards_of(*, turn: Turn, text: str, sources: Sequence[Json]) -> list[Json]:
    """At most three, none that the conversation shows already just so. `sources` are those the text cites. May ask the
    system that keeps the records: called with no transaction open."""
    try:
        return _cards(turn, text, sources)
    except (AttributeError, KeyError, TypeError, ValueError):  # a result of a shape unheard of costs no answer
        log.exception("cards_failed", extra={"turn_id": str(turn.pk)})
        return []


def _cards(turn: Turn, text: str, sources: Sequence[Json]) -> list[Json]:
    if not any(letter.isdigit() for letter in text):
        return []  # names no number, cites nothing
    found: dict[tuple[str, str], Json] = {}
    offered: set[str] = set()  # orders of which a proposal says what matters
    calls = ToolCall.objects.filter(turn=turn, status__in=("success", "pending_confirmation"))
    for tool, status, result in calls.order_by("created_at", "pk").values_list("tool", "status", "result"):
        if status == "pending_confirmation":
            offered.add((result.get("preview") or {}).get("order_number", ""))
        elif tool in FOUND:
            found |= {(card["kind"], card["id"]): card for card in FOUND[tool](turn, result, text, sources)}
    found = {key: card for key, card in found.items() if not (key[0] == "order" and key[1] in offered)}
    if not found:
        return []
    shown = _shown(turn)
    return [card for key, card in found.items() if card != shown.get(key)][:MOST]


def _order(turn: Turn, result: Json, text: str, _: Sequence[Json]) -> Iterator[Json]:
    """The order, and those of its returns and refunds the answer names."""
    order = result.get("order") or {}
    number = str(order.get("order_number", ""))
    if not _names(text, number):
        return
    parts = _parts(turn, order, number, text)
    yield from parts
    if not parts:
        lines = [{name: line.get(name) for name in LINES} for line in order.get("lines", [])]
        yield {"kind": "order", "id": number, **_of(order, SUMS), "lines": lines}


def _parts(turn: Turn, order: Json, number: str, text: str) -> list[Json]:
    """Cards of the returns and refunds the answer names; none when the system that has them does not answer soon."""
    returns = [one["number"] for one in order.get("returns", []) if _names(text, one["number"])]
    has_refunds = bool(float(order.get("refunded") or 0))
    customer = Customer.objects.filter(conversations=turn.conversation_id).first() if returns or has_refunds else None
    if customer is None:
        return []
    try:
        return ask_soon(WAIT_S, _read_parts, who_of(customer), returns, number if has_refunds else "", order, text)
    except Unreachable:
        return []


def _read_parts(who: Who, returns: Sequence[str], number: str, order: Json, text: str) -> list[Json]:
    parcels = [backend().return_of(who, one) for one in returns]
    refunds = backend().refunds_since(who, datetime.fromisoformat(order["placed_at"])) if number else []
    told = [refund_shown(one) for one in refunds if one.order_number == number]
    return [return_shown(one) for one in parcels if one] + [one for one in told if _names(text, one["amount"])]


def _shipments(_turn: Turn, result: Json, text: str, _: Sequence[Json]) -> Iterator[Json]:
    number = str(result.get("order_number", ""))
    for parcel in result.get("shipments", []):
        if _names(text, number) or _names(text, parcel["tracking_number"]):
            yield {"kind": "shipment", "id": parcel["tracking_number"], "order_number": number, **_of(parcel, PARCEL)}


def _ticket(_turn: Turn, result: Json, text: str, _: Sequence[Json]) -> Iterator[Json]:
    ticket = result.get("ticket") or {}
    if _names(text, str(ticket.get("number", ""))):
        yield {"kind": "ticket", "id": ticket["number"], "subject": ticket["subject"], "status": ticket["status"]}


def _article(_turn: Turn, result: Json, _: str, sources: Sequence[Json]) -> Iterator[Json]:
    """The article cited first."""
    by_url = {article["url"]: article for article in result.get("results", [])}
    article = next((by_url[source["url"]] for source in sources[:1] if source["url"] in by_url), None)
    if article is not None:
        words = {"title": article["title"], "summary": article.get("summary", ""), "url": article["url"]}
        yield {"kind": "article", "id": article["url"], **words}


FOUND: dict[str, Callable[[Turn, Json, str, Sequence[Json]], Iterable[Json]]] = {
    "lookup_order": _order,
    "track_shipment": _shipments,
    "create_ticket": _ticket,
    "search_knowledge_base": _article,
}


def _of(values: Json, names: Sequence[str]) -> Json:
    return {name: values[name] for name in names if values.get(name) not in (None, "")}


def _names(text: str, number: str) -> bool:
    """Whether a number stands in the text by itself: AP-1002 is not in AP-10023, nor 4.90 in 14.90."""
    wanted = re.escape(number).replace(r"\.", "[.,]")
    return bool(number) and bool(re.search(rf"(?<![\w.,-]){wanted}(?![\w-]|[.,]\d)", text, re.IGNORECASE))


def _shown(turn: Turn) -> dict[tuple[str, str], Json]:
    """The conversation's cards as they were shown last, receipts of done actions among them."""
    shown: dict[tuple[str, str], Json] = {}
    done = Action.objects.filter(conversation=turn.conversation_id, state=Action.State.DONE)
    for receipt in done.values_list("receipt", flat=True):
        if card := receipt.get("card"):
            shown[card["kind"], card["id"]] = card
    said = Message.objects.filter(conversation=turn.conversation_id).exclude(cards=[]).order_by("-seq")
    for cards in reversed(said.values_list("cards", flat=True)[:LOOKED_BACK]):
        shown |= {(card["kind"], card["id"]): card for card in cards}
    return shown
