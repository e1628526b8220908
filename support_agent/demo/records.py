"""What the tools would have answered about an order at a moment in the past, from the rows of the world."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from support_agent.demo.story import Json
from support_agent.tools.common import money, stamp
from tickets.demo.world import World
from tickets.models import Order, OrderLine, Shipment, ShipmentEvent
from tickets.policy import can_cancel, return_until

LATEST = 5


class Records:
    """Orders with their parts, found without a query."""

    def __init__(self, world: World) -> None:
        self.lines: dict[UUID, list[OrderLine]] = defaultdict(list)
        self.parcels: dict[UUID, list[Shipment]] = defaultdict(list)
        self.scans: dict[UUID, list[ShipmentEvent]] = defaultdict(list)
        for line in world.rows[OrderLine]:
            self.lines[line.order_id].append(line)
        for parcel in world.rows[Shipment]:
            self.parcels[parcel.order_id].append(parcel)
        for scan in world.rows[ShipmentEvent]:
            self.scans[scan.shipment_id].append(scan)

    def tracked(self, order: Order, at: datetime) -> Json:
        """As `track_shipment` answered at that time."""
        parcels = [self._parcel(parcel, at) for parcel in self.parcels[order.pk] if parcel.created_at <= at]
        found: Json = {
            "status": "success",
            "order_number": order.order_number,
            "order_status": self.status(order, at),
            "shipments": parcels,
        }
        return found if parcels else found | {"message": "Nothing of this order has been shipped yet."}

    def looked_up(self, order: Order, at: datetime) -> Json:
        """As `lookup_order` answered at that time, before anything was returned or refunded."""
        status = self.status(order, at)
        delivered = order.delivered_at if order.delivered_at and order.delivered_at <= at else None
        return {
            "status": "success",
            "order": {
                "order_number": order.order_number,
                "status": status,
                "placed_at": stamp(order.placed_at),
                "delivered_at": stamp(delivered),
                "total": money(order.total),
                "paid": money(order.paid_total),
                "refunded": "0.00",
                "currency": order.currency,
                "shipping_method": order.shipping_method,
                "lines": [_line(line) for line in self.lines[order.pk]],
                "can_cancel": can_cancel(status).ok,
                "return_until": stamp(return_until(delivered)),
            },
        }

    def status(self, order: Order, at: datetime) -> str:
        """Where the order stood then; what happened to it later is not known yet."""
        parcels = [parcel for parcel in self.parcels[order.pk] if parcel.created_at <= at]
        if order.delivered_at and order.delivered_at <= at:
            return "delivered"
        if any(parcel.shipped_at and parcel.shipped_at <= at for parcel in parcels):
            return "shipped"
        return "packed" if parcels else "paid" if order.paid_total else "pending"

    def latest_scan(self, order: Order, at: datetime) -> ShipmentEvent | None:
        scans = [scan for parcel in self.parcels[order.pk] for scan in self.scans[parcel.pk] if scan.at <= at]
        return max(scans, key=lambda scan: scan.at, default=None)

    def _parcel(self, parcel: Shipment, at: datetime) -> Json:
        there = parcel.delivered_at if parcel.delivered_at and parcel.delivered_at <= at else None
        moving = "in_transit" if parcel.shipped_at and parcel.shipped_at <= at else "pending"
        scans = sorted((scan for scan in self.scans[parcel.pk] if scan.at <= at), key=lambda scan: scan.at)
        return {
            "tracking_number": parcel.tracking_number,
            "carrier": parcel.carrier,
            "status": "delivered" if there else parcel.status if parcel.status in {"delayed", "lost"} else moving,
            "estimated_delivery": stamp(parcel.estimated_delivery),
            "delivered_at": stamp(there),
            "events": [
                {"at": stamp(scan.at), "location": scan.location, "description": scan.description}
                for scan in scans[: -LATEST - 1 : -1]
            ],
        }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "name": line.name,
        "variant": line.variant,
        "quantity": line.quantity,
        "unit_price": money(line.unit_price),
        "returned": 0,
    }
