"""Parcels and their scans: what an order's fate means on the road."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from tickets.demo.world import World
from tickets.models import Order, OrderLine, Shipment, ShipmentEvent

CARRIERS = ("Cascade Post", "NorthStar Express")
WAREHOUSE = "Portland, OR"
HUBS = ("Troutdale, OR", "Boise, ID", "Salt Lake City, UT", "Denver, CO", "Kansas City, MO", "Columbus, OH")
NEVER_SENT = frozenset({"pending", "paid", "cancelled", "cancelled_unpaid"})
DELAYS = (
    "Delayed: heavy snow on the route, new delivery date to follow",
    "Delayed: the truck missed its connection",
    "Delayed: held at the border for inspection",
)
HANDED_OVER = ("Delivered: left at the front door", "Delivered: handed to the resident", "Delivered: in the mailbox")


class Parcels:
    """Makes shipments with scans that fit together: nothing arrives before it leaves, nothing happens after now."""

    def __init__(self, world: World) -> None:
        self.world = world

    def send(self, order: Order, lines: Sequence[OrderLine], fate: str) -> datetime | None:
        """Parcels for the whole order; the moment the last one arrived, or None when one has not."""
        if fate in NEVER_SENT:
            return None
        if fate == "packed":
            self._parcel(order, lines, "pending")
            return None
        if fate in {"split_half", "split_done"} and len(lines) > 1:
            first = self._parcel(order, lines[:1], "delivered")
            second = self._parcel(order, lines[1:], "delivered" if fate == "split_done" else "in_transit", later=1.3)
            times = [first.delivered_at, second.delivered_at]
            return max(time for time in times if time) if all(times) else None
        road = {"in_transit": "in_transit", "delayed": "delayed"}
        status = "lost" if fate.startswith("lost") else road.get(fate, "delivered")
        return self._parcel(order, lines, status).delivered_at

    def _parcel(self, order: Order, lines: Sequence[OrderLine], status: str, later: float = 0) -> Shipment:
        world = self.world
        packed = order.placed_at + timedelta(hours=world.between(4, 20))
        packed = min(packed, world.ago(minutes=20))
        shipped = min(packed + timedelta(hours=world.between(2, 8), days=later), world.ago(minutes=10))
        abroad = not order.shipping_address.endswith("United States")
        days = 9 if abroad else 2 if order.shipping_method == "express" else 5
        parcel = world.add(
            Shipment,
            packed,
            order=order,
            tracking_number=f"ALD{world.digits(10)}",
            carrier=CARRIERS[1] if order.shipping_method == "express" else world.pick(CARRIERS),
            status=status,
            shipped_at=None if status == "pending" else shipped,
            estimated_delivery=_working_day((shipped + timedelta(days=days)).date()),
        )
        through = Shipment.lines.through
        for line in lines:
            world.keep(through(shipment_id=parcel.pk, orderline_id=line.pk))
        self._scan(parcel, packed, WAREHOUSE, "Label created, waiting for the carrier")
        if status != "pending":
            self._travel(parcel, shipped, days)
        return parcel

    def _travel(self, parcel: Shipment, shipped: datetime, days: int) -> None:
        world = self.world
        self._scan(parcel, shipped, WAREHOUSE, f"Picked up by {parcel.carrier}")
        hubs = HUBS[: 2 if days < 4 else 4]
        arrival = shipped + timedelta(days=days * world.between(0.5, 1.0))
        if parcel.status == "delivered":
            arrival = min(arrival, world.ago(hours=1))
        leg = (arrival - shipped) / (len(hubs) + 2)
        for number, hub in enumerate(hubs[:2] if parcel.status in {"lost", "delayed"} else hubs, start=1):
            self._scan(parcel, shipped + leg * number, hub, "Arrived at the sorting centre")
        if parcel.status == "delivered":
            self._hand_over(parcel, arrival, leg)
        elif parcel.status == "delayed":
            noticed = max(world.ago(hours=world.between(8, 40)), shipped + leg * 2.5)
            self._scan(parcel, noticed, hubs[1], world.pick(DELAYS))
        elif parcel.status == "lost":
            self._scan(parcel, shipped + timedelta(days=12), "", "Search closed: the carrier declared the parcel lost")

    def _hand_over(self, parcel: Shipment, arrival: datetime, leg: timedelta) -> None:
        town = parcel.order.shipping_address.splitlines()[-2]
        self._scan(parcel, arrival - leg / 3, town, "Out for delivery")
        self._scan(parcel, arrival, town, self.world.pick(HANDED_OVER))
        parcel.delivered_at = arrival

    def _scan(self, parcel: Shipment, at: datetime, location: str, description: str) -> None:
        """The future has no scans yet."""
        if at <= self.world.now:
            self.world.add(ShipmentEvent, at, shipment=parcel, at=at, location=location, description=description)


def _working_day(day: date) -> date:
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
