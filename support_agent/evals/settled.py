"""What became of a conversation's offers, and what that leaves in the records: the `end` of a case from life."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from support_agent.evals.records import RECORDS
from support_agent.evals.redaction import Redactor
from tickets.models import Action, Order

Json = dict[str, Any]


@dataclass(slots=True)
class Deed:
    """One offer: its tool, its arguments and the state that the customer's clicks left it in."""

    tool: str
    arguments: Json
    state: str


def settled_end(
    deeds: Sequence[Deed], found: Mapping[str, Order], records: Mapping[Any, str], redact: Redactor
) -> Json:
    """Every action with its state, and what those that were done made and changed, in the records that stand for the
    orders; amounts are the fixture's own."""
    end: Json = {}
    if deeds:
        end["actions"] = [f"{deed.tool} {deed.state}" for deed in deeds]
    for deed in deeds:
        if deed.state == Action.State.DONE:
            order = found.get(str(deed.arguments.get("order_number", "")))
            for name, value in _effects(deed, records[order.pk] if order else "", redact):
                end[name] = (
                    end.get(name, 0) + value if isinstance(value, int) and not isinstance(value, bool) else value
                )
    return end


def _effects(deed: Deed, record: str, redact: Redactor) -> Iterator[tuple[str, str | int]]:
    match deed.tool:
        case "request_return":
            yield "returns", 1
        case "report_delivery_problem":
            yield "problems", 1
            yield "tickets", 1
        case "update_customer":
            value = deed.arguments.get("value")
            yield (
                f"customer.{deed.arguments.get('field')}",
                redact(str(value).lower() if _is_flag(value) else str(value)),
            )
        case "cancel_order" if record:
            fixture = RECORDS[record.removeprefix("other.")]
            yield f"{record}.status", "cancelled"
            if fixture.paid:
                total = sum((Decimal(price) * number for (*_, price), number in fixture.lines), Decimal(0))
                yield f"{record}.refunded_total", f"{total:.2f}"
                yield "refunds", 1
        case "request_refund":
            yield "refunds", 1
            if record and (amount := _money(deed.arguments.get("amount"))):
                yield f"{record}.refunded_total", amount


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool) or str(value).lower() in ("true", "false")


def _money(value: Any) -> str:
    try:
        return f"{Decimal(str(value)):.2f}"
    except InvalidOperation:
        return ""
