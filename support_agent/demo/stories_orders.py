"""Conversations about an order, told from the order's own rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from support_agent.demo.records import Records
from support_agent.demo.story import Call, Exchange, Json, Proposal, Story
from support_agent.tools.common import money
from tickets.demo.world import World
from tickets.models import DeliveryProblem, Order, Refund, Return, ReturnLine

WHERE = (
    "Where is my order {n}?",
    "hi, when will {n} arrive?",
    "Tracking for {n} please",
    "Any news on my parcel {n}? Supposed to get here this week",
    "whats the status of {n}",
)
THANKS = (
    ("Great, thanks!", "You're welcome. If anything else comes up, just write here."),
    ("ok thank you", "Happy to help. Enjoy your gear once it arrives."),
    ("Perfect, thanks a lot", "You're welcome, and have a good trip."),
)


class OrderStories:
    def __init__(self, world: World, records: Records) -> None:
        self.world, self.records = world, records

    def where_is_it(self, order: Order, at: datetime) -> Story:
        """A plain question with a plain answer, on the fast path."""
        result = self.records.tracked(order, at)
        exchanges = [
            Exchange(
                said=self.world.pick(WHERE).format(n=order.order_number),
                answer=self._where_answer(order, at, result),
                calls=[Call("track_shipment", {"order_number": order.order_number}, result)],
                topic="order status",
                subject="orders",
                fast=True,
            )
        ]
        if self.world.chance(0.5):
            exchanges.append(self._thanks())
        return Story("order status", exchanges, order.customer, started_at=at)

    def returned(self, parcel: Return, lines: list[ReturnLine]) -> Story:
        """The conversation in which a return was asked for, which made the return's row."""
        order, at = parcel.order, parcel.created_at
        names = [line.order_line.name for line in lines]
        skus = [line.order_line.sku for line in lines]
        arguments = {"order_number": order.order_number, "skus": skus, "reason": parcel.reason}
        cost = f"{parcel.fee} is taken off the refund for the label" if parcel.fee else "the label is free for you"
        proposal = Proposal(
            "request_return",
            arguments,
            f"Return {len(skus)} item{'s' * (len(skus) > 1)} of order {order.order_number}",
            {"order_number": order.order_number, "items": names, "fee": str(parcel.fee)},
            "done",
            {
                "return_number": parcel.number,
                "order_number": order.order_number,
                "fee": str(parcel.fee),
                "message": f"The label for return {parcel.number} is on its way by e-mail.",
            },
            made=parcel,
        )
        exchange = Exchange(
            said=f"I'd like to send back the {names[0]} from {order.order_number}. {parcel.reason}",
            answer=f"That works: the {' and the '.join(names)} can come back, and {cost}. "
            "Press Confirm on the card below and the label comes by e-mail. Nothing happens before that.",
            calls=[Call("lookup_order", {"order_number": order.order_number}, self.records.looked_up(order, at))],
            topic="return",
            subject="orders",
            complexity="medium",
            proposal=proposal,
        )
        return Story("return", [exchange, self._thanks()], order.customer, started_at=at)

    def cancelled(self, order: Order, refund: Refund | None) -> Story:
        at = order.cancelled_at or order.placed_at
        paid = bool(order.paid_total)
        back = f" and get {money(order.paid_total)} {order.currency} back" if paid else ""
        receipt: Json = {"order_number": order.order_number, "order_status": "cancelled"}
        receipt["message"] = "The order is cancelled." + (
            f" {order.paid_total} {order.currency} go back to the original payment method." if paid else ""
        )
        proposal = Proposal(
            "cancel_order",
            {"order_number": order.order_number, "reason": "Ordered by mistake."},
            f"Cancel order {order.order_number}{back}",
            {"order_number": order.order_number, "refund": money(order.paid_total), "currency": order.currency},
            "done",
            receipt,
            made=refund,
        )
        said = ("Please cancel {n}, I ordered the wrong size", "can i still cancel order {n}?", "Cancel {n} please")
        exchange = Exchange(
            said=self.world.pick(said).format(n=order.order_number),
            answer="Yes, it is not packed yet. Confirm below to cancel the whole order"
            + (f"; {money(order.paid_total)} {order.currency} go back to your payment method." if paid else "."),
            calls=[Call("lookup_order", {"order_number": order.order_number}, self.records.looked_up(order, at))],
            topic="cancel order",
            subject="orders",
            complexity="medium",
            proposal=proposal,
        )
        return Story("cancel order", [exchange], order.customer, started_at=at - timedelta(minutes=2))

    def refunded(self, refund: Refund) -> Story:
        """A small refund at a click: late, scratched, cheaper elsewhere."""
        order = refund.order
        proposal = Proposal(
            "request_refund",
            {"order_number": order.order_number, "amount": money(refund.amount), "reason": refund.reason},
            f"Refund {money(refund.amount)} {order.currency} for order {order.order_number}",
            {"order_number": order.order_number, "amount": money(refund.amount), "needs_approval": False},
            "done",
            {
                "order_number": order.order_number,
                "amount": money(refund.amount),
                "message": f"{money(refund.amount)} {order.currency} go back to the original payment method.",
            },
            made=refund,
        )
        at = refund.created_at
        exchange = Exchange(
            said=f"About {order.order_number}: {refund.reason} Can I get {money(refund.amount)} back for that?",
            answer=f"I'm sorry about that. I can refund {money(refund.amount)} {order.currency} to your original "
            "payment method. Please confirm on the card below.",
            calls=[Call("lookup_order", {"order_number": order.order_number}, self.records.looked_up(order, at))],
            topic="refund",
            subject="billing",
            complexity="medium",
            proposal=proposal,
        )
        return Story("refund", [exchange, self._thanks()], order.customer, started_at=at)

    def complained(self, problem: DeliveryProblem) -> Story:
        order, at = problem.order, problem.created_at
        words = {"lost": "is lost in delivery", "damaged": "arrived damaged"}[problem.kind]
        wish = f"ask for a {problem.wish}"
        proposal = Proposal(
            "report_delivery_problem",
            {"order_number": order.order_number, "kind": problem.kind, "wish": problem.wish},
            f"Report that order {order.order_number} {words}, and {wish}",
            {"order_number": order.order_number, "kind": problem.kind, "wish": problem.wish},
            "done",
            {"order_number": order.order_number, "kind": problem.kind, "message": "The problem is reported."},
            made=problem,
        )
        said = {
            "lost": f"My parcel {order.order_number} never came, no scan for ages. I want this solved",
            "damaged": f"{order.order_number} arrived with a broken pole, box was crushed. Photo if you need one",
        }[problem.kind]
        exchange = Exchange(
            said=said,
            answer="I'm sorry, that should not happen. I have prepared a report with your wish for a "
            f"{problem.wish}; confirm below and one of our people looks into it.",
            calls=[Call("track_shipment", {"order_number": order.order_number}, self.records.tracked(order, at))],
            topic="delivery problem",
            subject="orders",
            complexity="medium",
            proposal=proposal,
        )
        return Story("delivery problem", [exchange], order.customer, started_at=at)

    def _where_answer(self, order: Order, at: datetime, result: Json) -> str:
        scan = self.records.latest_scan(order, at)
        if scan is None:
            return f"Order {order.order_number} is still with us and has not been packed yet. It leaves within a day."
        where = ", ".join(
            part for part in (scan.description.removeprefix("Delivered").strip(", "), scan.location) if part
        )
        parcel = result["shipments"][-1]
        if all(shipment["delivered_at"] for shipment in result["shipments"]):
            return f"Order {order.order_number} was delivered on {scan.at:%-d %B}: {where}."
        due = datetime.fromisoformat(parcel["estimated_delivery"])
        late = " That is later than planned, and I'm sorry." if parcel["status"] == "delayed" else ""
        return (
            f"Your parcel {parcel['tracking_number']} is on its way with {parcel['carrier']}. Last scan on "
            f"{scan.at:%-d %B}: {where}. Estimated delivery is {due:%-d %B}.{late}"
        )

    def _thanks(self) -> Exchange:
        said, answer = self.world.pick(THANKS)
        return Exchange(said, answer, topic="thanks", fast=True)
