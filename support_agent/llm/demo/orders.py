"""Handlers about orders: where it is, what is in it, cancel, return, refund, delivery problems."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from support_agent.llm.demo import questions, wording
from support_agent.llm.demo.desk import Call, Desk, Told, match_lines
from support_agent.llm.demo.extract import answer
from support_agent.llm.demo.tasks import Task

Json = dict[str, Any]
KIND_WORDS = {
    "lost": "it never arrived",
    "late": "it is late",
    "damaged": "it arrived damaged",
    "wrong_item": "it is the wrong item",
    "missing_item": "something is missing",
}

_PART = re.compile(  # not all of it
    r"\b(?:keep|leave|not) the (?:rest|others?)\b|\bexcept\b|\b(?:only|just) (?:the|one|my)\b(?! (?:\w+ )?order)", re.I
)
WHY = {
    "track": "late parcel delivery times",
    "problem": "late or lost parcel",
    "cancel": "until when can an order be cancelled",
    "return": "until when can items be returned",
    "exchange": "exchange a size or colour",
    "refund": "refund without a return",
    "return_status": "how long does a refund take",
}


def track(desk: Desk, task: Task) -> str:
    number = desk.order_number(task)
    if not desk.offers("track_shipment"):
        return wording.order(desk.order(number))
    return wording.tracking(desk.call("track_shipment", order_number=number))


def order_info(desk: Desk, task: Task) -> str:
    return wording.order(desk.order(desk.order_number(task)))


def return_status(desk: Desk, task: Task) -> str:
    """Returns and refunds of an order as they stand."""
    order = desk.order(desk.order_number(task))
    number, returns = order.get("order_number"), order.get("returns") or []
    told = [
        f"Return {one.get('number')} for order {number} is {str(one.get('status', '')).replace('_', ' ')}."
        for one in returns[:3]
    ]
    if _decimal(order.get("refunded")) > 0:
        told.append(f"{wording.money(order['refunded'], order.get('currency'))} has been refunded on order {number}.")
    else:
        told.append(f"No refund is booked on order {number} yet.")
    return " ".join(told)


def why(desk: Desk, task: Task) -> str:
    """The order's state, and what the help centre says about such cases, fetched side by side."""
    desk.identify()
    query = WHY.get(task.after, "order status meaning")
    number = task.slots.orders[0]
    order, articles = desk.results(
        Call("lookup_order", {"order_number": number}), Call("search_knowledge_base", {"query": query})
    )
    if order.status != "success":
        return desk.advise(order)
    rule = answer(query, articles.data.get("results") or []) if articles.status == "success" else ""
    return f"{wording.order_state(order.data.get('order') or {})}\n\n{rule}".strip()


def cancel(desk: Desk, task: Task) -> str:
    number = desk.order_number(task)
    if _PART.search(task.text) and len(desk.order(number).get("lines") or []) > 1:
        return f"Order {number} can only be cancelled as a whole. {questions.OFFER_TICKET}"
    if desk.offers("cancel_order"):
        reason = task.slots.reason or "The customer asked to cancel"
        return wording.proposal(desk.call("cancel_order", order_number=number, reason=reason))
    order = desk.order(number)
    if not order.get("can_cancel"):
        return f"{wording.order(order)} It can no longer be cancelled. {questions.OFFER_PERSON}"
    return _offer(
        desk,
        task,
        f"Order {number} ({wording.items(order.get('lines') or [])}) can still be cancelled.",
        questions.OFFER_CANCEL,
    )


def send_back(desk: Desk, task: Task) -> str:
    """A return, or an exchange, which is a return with a wish."""
    number = desk.order_number(task)
    order = desk.order(number)
    if order.get("can_cancel"):
        return f"Order {number} has not left us yet, so it can simply be cancelled. {questions.OFFER_CANCEL}"
    lines: list[Json] = order.get("lines") or []
    chosen = lines if len(lines) == 1 else match_lines(lines, task)
    if not chosen or (len(chosen) > 1 and not (task.slots.everything or task.slots.many)):
        return f"Order {number} holds:\n\n{wording.item_choice(chosen or lines)}\n\n{questions.WHICH_ITEM}"
    reason = task.slots.reason or (task.text if task.intent == "exchange" else "")
    if not reason:
        return f"That is {wording.items(chosen)} from order {number}. {questions.WHY_RETURN}"
    if not desk.offers("request_return"):
        return _offer(desk, task, f"That is {wording.items(chosen)} from order {number}.", questions.OFFER_RETURN)
    skus = [line["sku"] for line in chosen if line.get("sku")]
    return wording.proposal(desk.call("request_return", order_number=number, skus=skus, reason=reason[:200]))


def refund(desk: Desk, task: Task) -> str:
    number = desk.order_number(task)
    order = desk.order(number)
    reason = task.slots.reason or KIND_WORDS.get(task.slots.kind, "")
    if not reason:
        return f"I have order {number} here. {questions.WHY_REFUND}"
    amount = _amount(order, task)
    if not amount:
        return f"Order {number} holds {wording.items(order.get('lines') or [])}. {questions.HOW_MUCH}"
    if not desk.offers("request_refund"):
        return _offer(desk, task, f"I have order {number} here.", questions.OFFER_REFUND)
    return wording.proposal(desk.call("request_refund", order_number=number, amount=amount, reason=reason[:200]))


def problem(desk: Desk, task: Task) -> str:
    """A lost, late, damaged, wrong or missing item: the kind and the wish, then the report."""
    number, slots = desk.order_number(task), task.slots
    if slots.kind and slots.wish and desk.offers("report_delivery_problem"):
        return wording.proposal(
            desk.call("report_delivery_problem", order_number=number, kind=slots.kind, wish=slots.wish)
        )
    order = desk.order(number)
    if not slots.kind:
        return f"I have order {number} here. {questions.WHAT_WRONG}"
    if not slots.wish:
        parcels = order.get("shipments") or []
        facts = " " + wording.shipment(parcels[0]) if slots.kind in ("lost", "late") and parcels else ""
        return f"I am sorry about order {number}.{facts} {questions.WHICH_WISH}"
    return _offer(
        desk, task, f"For order {number} I would report that {KIND_WORDS[slots.kind]}.", questions.OFFER_PROBLEM
    )


def _offer(desk: Desk, task: Task, facts: str, offer: str) -> str:
    """Asks before a change whose tool is not on offer this turn; a yes already given means that it will not be."""
    if task.accepted:
        raise Told(f"{facts} I cannot start that myself at the moment. {questions.OFFER_TICKET}")
    return f"{facts} {offer}"


def _amount(order: Json, task: Task) -> str:
    """What to ask back: the amount named, the items named, or all that is left when that is what was meant."""
    if task.slots.money:
        return task.slots.money
    lines = order.get("lines") or []
    chosen = match_lines(lines, task) if task.slots.items or task.slots.skus else []
    if chosen and not task.slots.everything:
        return f"{sum(_decimal(line.get('unit_price')) * int(line.get('quantity') or 1) for line in chosen):.2f}"
    left = _decimal(order.get("paid")) - _decimal(order.get("refunded"))
    single = len(lines) == 1 and int(lines[0].get("quantity") or 1) == 1  # of several, one may be meant
    return f"{left:.2f}" if left > 0 and (task.slots.everything or single) else ""


def _decimal(amount: Any) -> Decimal:
    try:
        return Decimal(str(amount or 0))
    except InvalidOperation:
        return Decimal(0)
