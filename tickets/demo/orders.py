"""Orders with everything that happened to them: a fate in; lines, parcels, returns and money that agree out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tickets.demo.parcels import Parcels
from tickets.demo.world import World
from tickets.models import (
    Customer,
    DeliveryProblem,
    Invoice,
    Order,
    OrderLine,
    Plan,
    Product,
    Refund,
    Return,
    ReturnLine,
    User,
)
from tickets.policy import return_fee

Basket = Sequence[tuple[Product, int]]
ZERO = Decimal("0.00")
FREE_FROM = Decimal("50.00")
NET_DAYS = 30

# Where an order of each fate stands.
STATUS = {
    "pending": "pending",
    "paid": "paid",
    "packed": "packed",
    "in_transit": "shipped",
    "delayed": "shipped",
    "lost": "shipped",
    "lost_reported": "shipped",
    "split_half": "shipped",
    "delivered": "delivered",
    "split_done": "delivered",
    "damaged": "delivered",
    "goodwill": "delivered",
    "returning": "delivered",
    "partly_returned": "partly_returned",
    "returned": "returned",
    "lost_refunded": "refunded",
    "cancelled": "cancelled",
    "cancelled_unpaid": "cancelled",
}
RETURN_REASONS = (
    "Too small across the shoulders.",
    "The colour looks different from the pictures.",
    "Bought two sizes, keeping one.",
    "Heavier than I expected.",
    "A gift that was not needed after all.",
    "Changed our plans, the trip is off.",
)
GOODWILL = (("Arrived four days late.", "12.95"), ("Price fell within 14 days.", "20.00"), ("Scratched lid.", "8.00"))


@dataclass
class Wanted:
    """One order to be made. `note` is what the customer wrote at the checkout."""

    customer: Customer
    basket: Basket
    placed_at: datetime
    fate: str
    method: str = "standard"
    note: str = ""
    order: Order | None = field(default=None, init=False)


def seed_orders(world: World, wanted: Sequence[Wanted], approver: User) -> None:
    """Make them all, numbered in the order they were placed."""
    builder = _Builder(world, approver)
    for offset, one in enumerate(sorted(wanted, key=lambda one: one.placed_at)):
        one.order = builder.build(one, f"AP-{102_801 + offset}")


class _Builder:
    def __init__(self, world: World, approver: User) -> None:
        self.world, self.approver = world, approver
        self.parcels = Parcels(world)
        self.return_number, self.invoice_number = 200_000, 300_000

    def build(self, one: Wanted, number: str) -> Order:
        goods = sum((product.price * count for product, count in one.basket), ZERO)
        total = goods + shipping_cost(one, goods)
        business = one.customer.plan == Plan.ENTERPRISE
        settled = one.placed_at < self.world.ago(days=NET_DAYS - 4) if business else True
        paid = ZERO if one.fate in {"pending", "cancelled_unpaid"} or not settled else total
        order = self.world.add(
            Order,
            one.placed_at,
            order_number=number,
            customer=one.customer,
            status=STATUS[one.fate],
            total=total,
            paid_total=paid,
            shipping_method=one.method,
            shipping_address=one.customer.shipping_address,
            note=one.note,
            placed_at=one.placed_at,
        )
        lines = [self._line(order, product, count) for product, count in one.basket]
        order.delivered_at = self.parcels.send(order, lines, one.fate)
        self._afterwards(order, lines, one.fate)
        self._invoice(order, business=business, paid=paid)
        return order

    def _line(self, order: Order, product: Product, count: int) -> OrderLine:
        return self.world.add(
            OrderLine,
            order.placed_at,
            order=order,
            product=product,
            sku=product.sku,
            name=product.name,
            variant=product.variant,
            quantity=count,
            unit_price=product.price,
        )

    def _afterwards(self, order: Order, lines: list[OrderLine], fate: str) -> None:
        world, arrived = self.world, order.delivered_at
        if fate.startswith("cancelled"):
            order.cancelled_at = order.placed_at + timedelta(hours=world.between(0.3, 9))
            order.status_before_cancel = "paid" if order.paid_total else "pending"
            if order.paid_total:
                self._refund(order, order.paid_total, "Order cancelled.", order.cancelled_at)
        elif fate == "lost_refunded":
            reported = order.placed_at + timedelta(days=16)
            self._problem(order, "lost", "refund", reported, is_open=False)
            self._refund(order, order.paid_total, "Parcel lost by the carrier.", reported, by=self.approver)
        elif fate == "lost_reported":
            self._problem(order, "lost", "replacement", world.ago(hours=20), is_open=True)
        elif arrived and fate == "damaged":
            self._problem(order, "damaged", "replacement", arrived + timedelta(hours=9), is_open=True)
        elif arrived and fate == "goodwill":
            reason, amount = world.pick(GOODWILL)
            if order.paid_total:
                self._refund(order, min(Decimal(amount), order.paid_total), reason, arrived + timedelta(days=2))
        elif arrived and fate in {"returning", "partly_returned", "returned"}:
            dearest = max(lines, key=lambda line: line.unit_price)
            self._send_back(order, lines if fate == "returned" else [dearest], fate, arrived)

    def _send_back(self, order: Order, lines: list[OrderLine], fate: str, arrived: datetime) -> None:
        world = self.world
        asked = min(arrived + timedelta(days=world.between(1, 9)), world.ago(hours=3))
        received = asked + timedelta(days=world.between(3, 7))
        done = fate != "returning" and received < world.now
        self.return_number += 1
        parcel = world.add(
            Return,
            asked,
            number=f"R-{self.return_number}",
            order=order,
            status=Return.Status.REFUNDED if done else Return.Status.LABEL_SENT,
            reason=world.pick(RETURN_REASONS),
            fee=return_fee(order.customer.plan),
        )
        back = ZERO
        for line in lines:
            count = line.quantity if fate == "returned" or len(lines) < line.quantity else 1
            world.add(ReturnLine, asked, parent=parcel, order_line=line, quantity=count)
            if done:
                line.returned_quantity = count
                back += line.unit_price * count
        if done and order.paid_total:
            parcel.fee = min(parcel.fee, back / 2)  # the shop does not charge more for a label than it gives back
            amount = min(back - parcel.fee, order.paid_total)
            self._refund(order, amount, f"Return {parcel.number}.", received + timedelta(days=1))

    def _refund(self, order: Order, amount: Decimal, reason: str, at: datetime, by: User | None = None) -> None:
        at = min(at, self.world.ago(hours=1))
        paid_out = at < self.world.ago(days=6)
        self.world.add(
            Refund,
            at,
            order=order,
            amount=amount,
            reason=reason,
            status=Refund.Status.PAID if paid_out else Refund.Status.APPROVED,
            approved_by=by,
        )

    def _problem(self, order: Order, kind: str, wish: str, at: datetime, *, is_open: bool) -> None:
        at = min(at, self.world.ago(minutes=30))
        self.world.add(DeliveryProblem, at, order=order, kind=kind, wish=wish, is_open=is_open)

    def _invoice(self, order: Order, *, business: bool, paid: Decimal) -> None:
        if order.status == Order.Status.PENDING and not business:
            return
        self.invoice_number += 1
        if order.status == Order.Status.CANCELLED:
            status = Invoice.Status.REFUNDED if paid else Invoice.Status.VOID
        elif order.status in {Order.Status.REFUNDED, Order.Status.RETURNED} and paid:
            status = Invoice.Status.REFUNDED
        else:
            status = Invoice.Status.PAID if paid else Invoice.Status.OPEN
        self.world.add(
            Invoice,
            order.placed_at,
            number=f"INV-{self.invoice_number}",
            customer=order.customer,
            order=order,
            description=f"Order {order.order_number}",
            amount=order.total,
            status=status,
            issued_at=order.placed_at,
            due_at=order.placed_at + timedelta(days=NET_DAYS) if business else None,
        )


def shipping_cost(one: Wanted, goods: Decimal) -> Decimal:
    """The shop's table: express, abroad, standard; standard is free from 50.00 and for Plus."""
    if not one.customer.shipping_address.endswith("United States"):
        return Decimal("14.95")
    if one.method == "express":
        return Decimal("12.95")
    return ZERO if goods >= FREE_FROM or one.customer.plan != Plan.FREE else Decimal("4.95")
