"""A small shop behind canned tools, and a driver that talks to the demo model as the engine does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from support_agent.agent.prompts import prompt
from support_agent.agent.routing import READ, fast_path, toolset
from support_agent.agent.types import Plan, Surface, TurnInput
from support_agent.llm.demo.brain import respond

Json = dict[str, Any]
EMAIL = "maya.lindholm@example.com"
VERIFIED = f"date: 2026-11-21\nsurface: signed_in\ncustomer: verified, {EMAIL}"
STRANGER = "date: 2026-11-21\nsurface: anonymous\ncustomer: not verified"

TENT = {
    "sku": "TNT-2P-GRN",
    "name": "Ridgeline 2P Tent",
    "variant": "forest green",
    "quantity": 1,
    "unit_price": "289.00",
    "returned": 0,
}
JACKET = {
    "sku": "JKT-M-BLU",
    "name": "Drizzle Jacket",
    "variant": "slate blue, M",
    "quantity": 1,
    "unit_price": "129.00",
    "returned": 0,
}
BLACK = {
    "sku": "JKT-M-BLK",
    "name": "Drizzle Jacket",
    "variant": "black, M",
    "quantity": 1,
    "unit_price": "129.00",
    "returned": 0,
}
LANTERN = {
    "sku": "LAN-1-RST",
    "name": "Ember Lantern",
    "variant": "rust",
    "quantity": 1,
    "unit_price": "39.00",
    "returned": 0,
}
BOOTS = {
    "sku": "BOT-42-BLK",
    "name": "Talus Boots",
    "variant": "black, 42",
    "quantity": 1,
    "unit_price": "159.00",
    "returned": 0,
}


def _order(number: str, status: str, placed: str, lines: list[Json], total: str, **more: Any) -> Json:
    return {
        "order_number": number,
        "status": status,
        "placed_at": placed,
        "delivered_at": None,
        "total": total,
        "paid": total,
        "refunded": "0.00",
        "currency": "USD",
        "shipping_method": "standard",
        "shipping_address": "14 Alder Street, Portland OR 97205",
        "lines": lines,
        "shipments": [],
        "returns": [],
        "can_cancel": status in ("pending", "paid"),
        "return_until": None,
        **more,
    }


def _parcel(number: str, status: str, **more: Any) -> Json:
    return {
        "tracking_number": number,
        "carrier": "Cascade Post",
        "status": status,
        "estimated_delivery": "2026-11-24",
        "delivered_at": None,
        **more,
    }


ORDERS: dict[str, Json] = {
    "AP-104233": _order(
        "AP-104233",
        "shipped",
        "2026-11-17T09:12:00Z",
        [TENT],
        "289.00",
        shipments=[_parcel("ALD1000000233", "in_transit")],
    ),
    "AP-104120": _order(
        "AP-104120",
        "delivered",
        "2026-11-02T15:40:00Z",
        [JACKET, BLACK, LANTERN],
        "297.00",
        delivered_at="2026-11-07T13:05:00Z",
        return_until="2026-12-07",
        shipments=[
            _parcel("ALD1000000120", "delivered", estimated_delivery="2026-11-07", delivered_at="2026-11-07T13:05:00Z")
        ],
    ),
    "AP-104301": _order("AP-104301", "paid", "2026-11-20T18:22:00Z", [BOOTS], "159.00"),
    "AP-103877": _order(
        "AP-103877",
        "partly_returned",
        "2026-10-01T11:00:00Z",
        [{**BOOTS, "returned": 1}, LANTERN],
        "198.00",
        refunded="154.10",
        delivered_at="2026-10-06T10:00:00Z",
        returns=[{"number": "R-200145", "status": "received", "skus": ["BOT-42-BLK"]}],
    ),
}
ARTICLE = {
    "n": 1,
    "title": "Return an item",
    "url": "/help/return-an-item/",
    "category": "product",
    "section": "How it works",
    "score": 0.81,
    "snippet": "You can return most items within 30 days of delivery. Pack the item unused, in its original packaging. "
    "The label costs nothing with Plus; otherwise 4.90 is taken off the refund.\n"
    "1. Open your order page.\n2. Choose Return an item and print the label.\n"
    "Your money is back 5-7 business days after the parcel rea",
}
SECOND = {
    "n": 2,
    "title": "Delivery times and costs",
    "url": "/help/delivery-times-and-costs/",
    "category": "product",
    "section": "Times",
    "score": 0.55,
    "snippet": "Standard shipping takes 3-5 business days and costs 4.95. Express takes 1-2 business days for 12.95.",
}
CUSTOMER = {
    "customer": {
        "name": "Maya Lindholm",
        "email": EMAIL,
        "plan": "free",
        "status": "active",
        "phone": "+1 503 555 0142",
        "member_since": "2024-03-11",
        "marketing_opt_in": True,
        "shipping_address": "14 Alder Street, Portland OR 97205",
    },
    "recent_tickets": [
        {"number": "T-10233", "subject": "Zip of the jacket", "status": "open", "created_at": "2026-11-15T08:00:00Z"}
    ],
    "billing": [
        {
            "invoice": "INV-500233",
            "date": "2026-11-17",
            "amount": "289.00",
            "currency": "USD",
            "status": "paid",
            "order_number": "AP-104233",
        },
        {
            "invoice": "INV-500120",
            "date": "2026-11-02",
            "amount": "297.00",
            "currency": "USD",
            "status": "paid",
            "order_number": "AP-104120",
        },
    ],
    "orders": [
        {key: order[key] for key in ("order_number", "status", "placed_at", "total")} for order in ORDERS.values()
    ],
    "more_orders": 0,
}


def run_tool(name: str, arguments: Json, verified: bool) -> Json:
    """The canned answer of one tool, in the shapes the real ones have."""
    if not verified and name in ("lookup_customer", "lookup_order", "track_shipment"):
        return {"status": "needs_verification", "message": "Verify the customer first."}
    order = ORDERS.get(arguments.get("order_number", ""))
    if "order_number" in arguments and order is None:
        return {"status": "not_found", "message": "There is no such order in this account."}
    match name:
        case "search_knowledge_base":
            return {"status": "success", "results": [ARTICLE, SECOND], "more": 0}
        case "lookup_customer":
            return {"status": "success", **CUSTOMER}
        case "lookup_order":
            return {"status": "success", "order": order}
        case "track_shipment":
            assert order is not None
            scans = [
                {"at": "2026-11-20T04:10:00Z", "location": "Boise, ID", "description": "Arrived at the sorting centre"}
            ]
            parcels = [
                {**one, "items": [line["name"] for line in order["lines"]], "events": scans}
                for one in order["shipments"]
            ]
            return {
                "status": "success",
                "order_number": order["order_number"],
                "order_status": order["status"],
                "shipments": parcels,
            }
        case "create_ticket":
            return {
                "status": "success",
                "ticket": {
                    "number": "T-10300",
                    "subject": arguments["subject"],
                    "priority": "medium",
                    "status": "open",
                },
            }
        case "escalate_to_human":
            return {
                "status": "success",
                "escalation": {"team": "support", "position": 2, "when": "within 15 minutes"},
            }
        case "verify_identity":
            return {
                "status": "success",
                "state": "requested",
                "message": "If we know this address, a code is on its way to it.",
            }
        case _:
            return {
                "status": "pending_confirmation",
                "action_id": "a-1",
                "summary": f"{name} with {json.dumps(arguments)}",
                "preview": arguments,
                "expires_in_minutes": 30,
            }


@dataclass
class Turn:
    """One answered message: the tools called in order (each model call's together), the text, the results, the plan."""

    text: str = ""
    calls: list[list[tuple[str, Json]]] = field(default_factory=list)
    results: list[Json] = field(default_factory=list)
    plan: Json | None = None
    offered: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        return self.calls[0][0][0] if self.calls else "none"

    @property
    def tools(self) -> list[str]:
        return [name for group in self.calls for name, _ in group]


class Talk:
    """A conversation with the demo model: each `say` runs a whole turn, planned and routed by the engine's rules."""

    def __init__(
        self, *, verified: bool = True, tool: Callable[[str, Json, bool], Json] = run_tool, mutations: bool = True
    ) -> None:
        self.verified, self.tool, self.mutations = verified, tool, mutations
        self.history: list[Json] = []

    def say(self, text: str) -> Turn:
        notice = VERIFIED if self.verified else STRANGER
        opening: list[Json] = [*self.history, {"role": "user", "content": text}, {"role": "system", "content": notice}]
        turn = Turn()
        given = TurnInput(
            UUID(int=1),
            UUID(int=2),
            Surface.SIGNED_IN,
            self.verified,
            "en",
            text,
            self.history,
            notice,
            mutations_allowed=self.mutations,
        )
        turn.offered = READ
        if not fast_path(given):
            turn.plan = self._plan(opening)
            turn.offered = toolset(Plan.model_validate(turn.plan), given)
        messages = list(opening)
        for _ in range(8):
            content, stop_reason = respond(
                {
                    "messages": messages,
                    "system": prompt("assistant").text,
                    "tools": [_schema(name) for name in turn.offered],
                }
            )
            if stop_reason != "tool_use":
                turn.text = content[0]["text"]
                self.history += [{"role": "user", "content": text}, {"role": "assistant", "content": turn.text}]
                return turn
            messages += [
                {"role": "assistant", "content": content},
                {"role": "user", "content": self._run(content, turn)},
            ]
        raise AssertionError(f"no answer after 8 calls: {turn.calls}")

    def _plan(self, opening: list[Json]) -> Json:
        schema = {"type": "json_schema", "schema": Plan.model_json_schema()}
        content, _ = respond({"messages": opening, "system": "planner", "output_config": {"format": schema}})
        plan: Json = json.loads(content[0]["text"])
        return plan

    def _run(self, content: list[Json], turn: Turn) -> list[Json]:
        turn.calls.append([(use["name"], use["input"]) for use in content])
        assert all(use["name"] in turn.offered for use in content), f"not offered: {turn.calls[-1]}"
        done = [self.tool(use["name"], use["input"], self.verified) for use in content]
        turn.results += done
        return [
            {"type": "tool_result", "tool_use_id": use["id"], "content": json.dumps(result)}
            for use, result in zip(content, done, strict=True)
        ]


def _schema(name: str) -> Json:
    return {"name": name, "description": name, "input_schema": {"type": "object", "properties": {}}}
