"""Parcels and their scans: what an order's fate means on the road."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from tickets.demo.content import content
from tickets.demo.world import World
from tickets.models import Order, OrderLine, Shipment, ShipmentEvent

NEVER_SENT = frozenset({"pending", "paid", "cancelled", "cancelled_unpaid"})
ON_THE_ROAD = {"in_transit": "in_transit", "delayed": "delayed"}
HOME = "United States"
TRANSIT_DAYS = {"express": 2, "standard": 5, "international": 12}


class Parcels:
    """Makes shipments with scans that fit together: nothing arrives before it leaves, nothing happens after now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shipping: dict[str, Any] = content("shipping")

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
        status = "lost" if fate.startswith("lost") else ON_THE_ROAD.get(fate, "delivered")
        return self._parcel(order, lines, status).delivered_at

    def _parcel(self, order: Order, lines: Sequence[OrderLine], status: str, later: float = 0) -> Shipment:
        world = self.world
        packed = order.placed_at + timedelta(hours=world.between(3, 12), days=later)
        packed = min(packed, world.ago(minutes=20))
        method = order.shipping_method if order.shipping_address.endswith(HOME) else "international"
        parcel = world.add(
            Shipment,
            packed,
            order=order,
            tracking_number=f"ALD{world.digits(10)}",
            carrier=self.shipping["carriers"][method],
            status=status,
            estimated_delivery=_working_day((packed + timedelta(days=TRANSIT_DAYS[method])).date()),
        )
        through = Shipment.lines.through
        for line in lines:
            world.keep(through(shipment_id=parcel.pk, orderline_id=line.pk))
        self._travel(parcel, packed, self._journey(status, method))
        return parcel

    def _journey(self, status: str, method: str) -> str:
        """Which of the told journeys this parcel takes."""
        if status == "delivered":
            if method == "international":
                return "delivered_international"
            return self.world.weighted({"delivered": 60, "delivered_safe_place": 30, "delivered_second_try": 10})
        if status == "delayed" and method == "international":
            return "delayed_customs"
        return status

    def _travel(self, parcel: Shipment, packed: datetime, journey: str) -> None:
        scans = self.shipping["journeys"][journey]
        pace = self.world.between(0.75, 1.25) * (0.6 if parcel.order.shipping_method == "express" else 1)
        if parcel.status == "delivered":  # it has arrived: then the whole way lies before now
            pace = min(pace, (self.world.ago(hours=1) - packed) / timedelta(hours=scans[-1]["after_hours"]))
        places = self._places(parcel.order)
        for scan in scans:
            at = packed + timedelta(hours=scan["after_hours"] * pace)
            if at > self.world.now:  # the future has no scans yet
                break
            where = places[scan["location"]]
            self.world.add(ShipmentEvent, at, shipment=parcel, at=at, location=where, description=scan["text"])
            if scan["text"].startswith("Picked up"):
                parcel.shipped_at = at
            if scan is scans[-1] and parcel.status == "delivered":
                parcel.delivered_at = at
        if parcel.status != "pending":
            parcel.shipped_at = parcel.shipped_at or packed

    def _places(self, order: Order) -> dict[str, str]:
        *_, town, country = order.shipping_address.splitlines()
        region = {HOME: "US", "Canada": "CA"}.get(country, "EU")
        return {
            "origin": self.shipping["origin"],
            "hub": self.shipping["hubs"][region],
            "depot": self.world.pick(self.shipping["depots"][region]),
            "local": town,
            "door": town,
        }


def _working_day(day: date) -> date:
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
