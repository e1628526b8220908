"""Conversations written out in conversations.yaml, told of people and orders that fit them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from support_agent.demo.records import Records
from support_agent.demo.shelf import Reading
from support_agent.demo.story import Call, Exchange, Handover, Json, Story
from support_agent.tools.common import money
from tickets.demo.content import content
from tickets.demo.people import STAFF
from tickets.demo.world import World
from tickets.models import Customer, EscalationReason, Order, User
from tickets.services.orders import NO_ORDER

# What changes records is told from those records (stories_orders), so that they agree.
CHANGING = {"request_return", "request_refund", "cancel_order", "report_delivery_problem", "update_customer",
            "create_ticket", "verify_identity"}  # fmt: skip
SUBJECTS = {"product": "orders", "billing": "billing", "account": "account", "technical": "technical"}
TEAMS = {"billing": "billing", "technical": "engineering", "account": "support", "product": "support"}
LAST_WORD = "All right. Write here whenever something else comes up."
OUT_OF_REACH = {"status": "error", "retryable": True, "message": "This could not be fetched just now."}


def scripts() -> list[Mapping[str, Any]]:
    """Those that can be told of any fitting order."""
    return [
        script
        for script in content("conversations")
        if not CHANGING & {tool for turn in script["turns"] for tool in turn.get("tools", [])}
    ]


class WrittenStories:
    def __init__(self, world: World, records: Records, readings: Mapping[str, Reading], staff: dict[str, User]) -> None:
        self.world, self.records, self.readings, self.staff = world, records, readings, staff

    def tell(self, script: Mapping[str, Any], order: Order | None, customer: Customer, at: datetime) -> Story:
        """`order` has the status the script wants; its customer goes before `customer`."""
        return _Script(self, script, order, order.customer if order else customer, at).story()

    def moment(self, order: Order) -> datetime:
        """When somebody may have asked about an order as it is now."""
        since = max(order.delivered_at or order.placed_at, self.world.ago(days=58))
        return since + (self.world.ago(hours=2) - since) * self.world.between(0.05, 0.9)


class _Script:
    """One script with its names and numbers."""

    def __init__(
        self, of: WrittenStories, script: Mapping[str, Any], order: Order | None, customer: Customer, at: datetime
    ) -> None:
        self.of, self.script, self.order, self.customer, self.at = of, script, order, customer, at
        team = TEAMS[script["category"]]
        self.person = of.staff["agent2" if team == "billing" else "agent"]
        self.team = team
        self.words = self._words()

    def story(self) -> Story:
        exchanges: list[Exchange] = []
        handed: list[tuple[str, str]] = []
        for turn in self.script["turns"]:
            text = turn["text"].format(**self.words)
            if turn["role"] == "staff" or handed:
                handed.append((turn["role"], text))
            elif turn["role"] == "customer":
                exchanges.append(Exchange(text, "", topic=self.topic, subject=SUBJECTS[self.script["category"]]))
            else:
                self._answer(exchanges[-1], text, turn)
        for exchange in exchanges:
            exchange.answer = exchange.answer or LAST_WORD
        story = Story(self.topic, exchanges, self.customer if self.script["verified"] else None, started_at=self.at)
        if self.script["outcome"] == "escalated":
            reason = EscalationReason(self.script["reason"])
            story.handover = Handover(reason, exchanges[-1].said, self.team, handed, self.person)
        return story

    @property
    def topic(self) -> str:
        return str(self.script["topic"]).lower()

    def _answer(self, exchange: Exchange, text: str, turn: Mapping[str, Any]) -> None:
        """Two answers in a row are one turn."""
        for slug in turn.get("sources", []):
            number = len(exchange.sources) + 1
            exchange.sources.append(self.of.readings[slug].source(number))
            text += f" [{number}]"
        exchange.answer = f"{exchange.answer}\n\n{text}".strip()
        exchange.calls += [self._call(tool, exchange) for tool in turn.get("tools", [])]
        exchange.complexity = "medium" if len(exchange.calls) > 1 else "simple"

    def _call(self, tool: str, exchange: Exchange) -> Call:
        number = {"order_number": self.order.order_number} if self.order else {"order_number": "AP-100377"}
        if tool == "search_knowledge_base":
            return Call(tool, {"query": exchange.said}, self._found(exchange))
        if tool == "lookup_customer":
            return Call(tool, {"email": self.customer.email}, self._account())
        if tool == "escalate_to_human":
            wish = {"reason": self.script["reason"], "summary": exchange.said, "suggested_team": self.team}
            told = {"team": self.team, "position": 1, "when": "within 15 minutes"}
            return Call(tool, wish, {"status": "success", "escalation": told})
        if self.script.get("reason") == "tool_failing":
            return Call(tool, number, OUT_OF_REACH)
        if self.order is None:
            return Call(tool, number, {"status": "not_found", "message": str(NO_ORDER)})
        records = self.of.records
        looked = records.tracked if tool == "track_shipment" else records.looked_up
        return Call(tool, number, looked(self.order, self.at))

    def _found(self, exchange: Exchange) -> Json:
        """What the answer cites, and what else of the category came up."""
        cited = [reading for reading in self.of.readings.values() if reading.source(0)["url"] in _urls(exchange)]
        near = [
            one for one in self.of.readings.values() if one.category == self.script["category"] and one not in cited
        ]
        hits = [*cited, *near[: 3 - min(len(cited), 2)]]
        return {"status": "success", "results": [hit.hit(n) for n, hit in enumerate(hits, 1)], "more": 0}

    def _account(self) -> Json:
        who = self.customer
        shown = {"name": who.name, "email": who.email, "plan": who.plan, "status": who.status}
        return {
            "status": "success",
            "customer": shown,
            "recent_tickets": [],
            "billing": [],
            "orders": [],
            "more_orders": 0,
        }

    def _words(self) -> dict[str, str]:
        name = next(person.first for person in STAFF if person.username == self.person.username)
        words = {"name": self.customer.name, "first_name": self.customer.name.split()[0], "staff": name,
                 "email": self.customer.email, "amount": "49.00", "date": ""}  # fmt: skip
        order = self.order
        if order is None:
            return words
        parcels = self.of.records.parcels[order.pk]
        when = order.delivered_at or (parcels[0].estimated_delivery if parcels else order.placed_at)
        return words | {
            "order_number": order.order_number,
            "tracking": parcels[0].tracking_number if parcels else "",
            "carrier": parcels[0].carrier if parcels else "",
            "item": self.of.records.lines[order.pk][0].name,
            "amount": money(order.refunded_total or order.total),
            "date": f"{when:%-d %B}",
        }


def _urls(exchange: Exchange) -> set[str]:
    return {source["url"] for source in exchange.sources}
