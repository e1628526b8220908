"""What a handler works at: it asks for tool results as if they were there. A missing one ends the attempt as `Wanted`;
the next request brings it, and the same handler runs again from its start. `Told` ends a handler with words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from support_agent.agent.identifiers import DEMO, formats
from support_agent.llm.demo import questions, wording
from support_agent.llm.demo.situation import Result, Situation
from support_agent.llm.demo.tasks import Dialogue, Task

Json = dict[str, Any]
GOOD = frozenset({"success", "pending_confirmation", "awaiting_staff"})
SETTLED = frozenset({"unchanged", "already_reported", "already_cancelled"})  # a no that leaves nothing to do
CHOICE = {  # the order states for which a wish makes sense
    "track": ("shipped", "packed", "paid", "pending"),
    "cancel": ("pending", "paid"),
    "return": ("delivered", "partly_returned"),
    "exchange": ("delivered", "partly_returned"),
    "refund": ("delivered", "partly_returned", "shipped", "paid", "packed"),
    "problem": ("shipped", "delivered", "partly_returned"),
    "return_status": ("partly_returned", "returned", "refunded", "cancelled"),
    "order_info": ("shipped", "packed", "paid", "pending"),
    "address": ("pending", "paid", "packed"),
}


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: Json


class Wanted(Exception):
    """Tool calls that must come first."""

    def __init__(self, *calls: Call) -> None:
        super().__init__(", ".join(call.name for call in calls))
        self.calls = calls


class Told(Exception):
    """All that can be said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Desk:
    def __init__(self, situation: Situation, dialogue: Dialogue) -> None:
        self.situation = situation
        self.dialogue = dialogue

    def offers(self, name: str) -> bool:
        return name in self.situation.tools

    def results(self, *calls: Call) -> list[Result]:
        """The calls' results as they came, in order. Raises Wanted for all that are missing at once."""
        found = [self._find(call) for call in calls]
        missing = [call for call, result in zip(calls, found, strict=True) if result is None]
        if missing:
            raise Wanted(*missing)
        return [result for result in found if result is not None]

    def call(self, name: str, **arguments: Any) -> Json:
        """A good result's data. Raises Wanted; Told when the tool is not there or answers anything else."""
        if not self.offers(name):
            raise Told(f"I cannot do that from here. {questions.OFFER_PERSON}")
        result = self.results(Call(name, arguments))[0]
        if result.status == "needs_verification":
            raise Told(self._ask_email())
        if result.status == "not_found" and name in ("lookup_order", "track_shipment"):
            raise Told(
                f"I cannot find order {arguments['order_number']} in your account. "
                "Please check the number in your confirmation e-mail."
            )
        if result.status not in GOOD:
            raise Told(self.advise(result))
        return result.data

    def advise(self, result: Result) -> str:
        """What went wrong, and the way on."""
        told = wording.trouble(result.name, result.data)
        return told if result.data.get("reason") in SETTLED else f"{told} {questions.OFFER_PERSON}"

    def identify(self) -> str:
        """The verified e-mail, '' when the server did not say. Raises Wanted or Told for who is not verified."""
        if self.situation.verified is not False:
            return self.situation.email
        if self.dialogue.code_requested and not self.dialogue.email_now:
            raise Told(
                f"I cannot see your confirmation yet. {questions.CODE} shown in this chat, never in a message. "
                "If no e-mail came, look into the spam folder, or tell me the address again."
            )
        if not self.dialogue.email or not self.offers("verify_identity"):
            raise Told(self._ask_email())
        self.call("verify_identity", email=self.dialogue.email)
        raise Told(
            "If this is the address of an account, a code is on its way to it. "
            f"{questions.CODE} shown in this chat, never in a message; then I can go on."
        )

    def customer(self) -> Json:
        """lookup_customer's data for the verified customer."""
        return self.call("lookup_customer", email=self.identify() or self._need_email())

    def order_number(self, task: Task, wish: str = "") -> str:
        """The order meant: named, the only plausible one, or asked for (Told)."""
        self.identify()
        if task.slots.orders:
            return task.slots.orders[0]
        if not self.offers("lookup_customer") or not self.situation.email:
            look = "begins with AP-" if formats() is DEMO else f"has {formats().hint},"
            raise Told(f"{questions.WHICH_ORDER} Its number {look} and is in your confirmation e-mail.")
        orders: list[Json] = self.customer().get("orders") or []
        if not orders:
            raise Told(f"I see no orders in your account. {questions.OFFER_PERSON}")
        plausible = [row for row in orders if row.get("status") in CHOICE.get(wish or task.intent, ())]
        if len(plausible) > 1 and (task.slots.items or task.slots.skus):
            plausible = self._holding(task, plausible) or plausible
        if task.slots.ordinal is not None:
            rows = plausible or orders
            plausible = [rows[min(task.slots.ordinal, len(rows) - 1)]]
        if len(plausible) == 1 or len(orders) == 1:
            return str((plausible or orders)[0]["order_number"])
        raise Told(f"{questions.WHICH_ORDER}\n\n{wording.order_choice(plausible or orders)}")

    def order(self, number: str) -> Json:
        """lookup_order's order."""
        found: Json = self.call("lookup_order", order_number=number).get("order") or {}
        return found

    def _holding(self, task: Task, rows: list[Json]) -> list[Json]:
        """Those orders that hold the item named, looked up side by side."""
        calls = [Call("lookup_order", {"order_number": row["order_number"]}) for row in rows[:4]]
        results = self.results(*calls) if self.offers("lookup_order") else []
        return [
            row
            for row, result in zip(rows, results, strict=False)
            if result.status == "success" and match_lines(result.data.get("order", {}).get("lines") or [], task)
        ]

    def _find(self, call: Call) -> Result | None:
        same = [one for one in self.situation.results if one.name == call.name and one.arguments == call.arguments]
        return same[-1] if same else None

    def _need_email(self) -> str:
        if self.dialogue.email:
            return self.dialogue.email
        raise Told(self._ask_email())

    @staticmethod
    def _ask_email() -> str:
        return f"Before I can look into orders or an account, I need to check that it is you. {questions.EMAIL}"


def match_lines(lines: list[Json], task: Task) -> list[Json]:
    """The order lines that the named items, colours and SKUs fit best; none when nothing was named or fits."""
    slots = task.slots
    open_lines = [line for line in lines if not line.get("returned")] or lines
    if slots.everything:
        return open_lines
    groups: list[tuple[str, ...]] = [(name,) for name in slots.items] or [()]
    return [line for line in open_lines if any(line in _best(open_lines, task, group) for group in groups)]


def _best(lines: list[Json], task: Task, items: tuple[str, ...]) -> list[Json]:
    """The lines that fit one named item best; for no item the colours and SKUs decide alone."""
    scored = [(_fit(line, items, task.slots.colours, task.slots.skus), line) for line in lines]
    best = max((score for score, _ in scored), default=0)
    enough = 2 if items else 1
    return [line for score, line in scored if score == best and best >= enough]


def _fit(line: Json, items: tuple[str, ...], colours: tuple[str, ...], skus: tuple[str, ...]) -> int:
    name = f"{line.get('name', '')} {line.get('sku', '')}".lower()
    variant = str(line.get("variant", "")).lower()
    return (
        3 * (str(line.get("sku", "")).upper() in skus)
        + 2 * sum(bool(re.search(item, name)) for item in items)
        + sum(colour in variant for colour in colours)
    )
