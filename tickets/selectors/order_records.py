"""A whole order of the desk's own tables as a backend's record, in one query: the page, the tools and the services that
hold its lock all read it. Within one customer: another's and a missing one are both None."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tickets.backends.records import (
    LineRecord,
    OrderRecord,
    ParcelRecord,
    RefundRecord,
    ReturnedItem,
    ReturnRecord,
    ScanRecord,
)
from tickets.sql import prepared

Json = dict[str, Any]
EVERYTHING = frozenset({"lines", "shipments", "returns", "refunds"})

# A part is a JSON array, or NULL where nothing is there or nothing asked for. Money is text in it: JSON's numbers are
# not decimal.
#
# What a line has left goes by the larger of what came back and what is on its way: imported orders count returned
# pieces without a return of their own. A refund's place and whether it is a favour are as in records._refunds.
_ORDER = """
SELECT o.order_number, o.status, o.currency, o.total, o.placed_at, o.delivered_at, o.paid_total, o.refunded_total,
  o.shipping_method, o.shipping_address, o.note,
  ARRAY(SELECT DISTINCT p.kind FROM tickets_deliveryproblem p WHERE p.order_id = o.id AND p.is_open ORDER BY p.kind),
  CASE WHEN 'lines' = ANY(%(parts)s::text[]) THEN (
    SELECT json_agg(json_build_object(
      'sku', l.sku, 'name', l.name, 'variant', l.variant, 'category', p.category, 'quantity', l.quantity,
      'unit_price', l.unit_price::text, 'returned', l.returned_quantity,
      'left', l.quantity - greatest(l.returned_quantity, (
        SELECT sum(i.quantity) FROM tickets_returnline i JOIN tickets_return r ON r.id = i.parent_id
        WHERE i.order_line_id = l.id AND r.order_id = o.id AND r.status IN ('label_sent', 'received', 'refunded')
      ))
    ) ORDER BY l.sku)
    FROM tickets_orderline l JOIN tickets_product p ON p.id = l.product_id WHERE l.order_id = o.id
  )::text END,
  CASE WHEN 'shipments' = ANY(%(parts)s::text[]) THEN (
    SELECT json_agg(json_build_object(
      'tracking_number', s.tracking_number, 'carrier', s.carrier, 'status', s.status, 'shipped_at', s.shipped_at,
      'estimated_delivery', s.estimated_delivery, 'delivered_at', s.delivered_at,
      'skus', ARRAY(
        SELECT l.sku FROM tickets_shipment_lines sl JOIN tickets_orderline l ON l.id = sl.orderline_id
        WHERE sl.shipment_id = s.id ORDER BY l.sku
      ),
      'scans', ARRAY(
        SELECT json_build_array(e.at, e.location, e.description) FROM tickets_shipmentevent e
        WHERE e.shipment_id = s.id ORDER BY e.at DESC
      )
    ) ORDER BY s.created_at)
    FROM tickets_shipment s WHERE s.order_id = o.id
  )::text END,
  CASE WHEN 'returns' = ANY(%(parts)s::text[]) THEN (
    SELECT json_agg(json_build_object(
      'number', r.number, 'status', r.status, 'fee', r.fee::text, 'created_at', r.created_at, 'reason', r.reason,
      'items', ARRAY(
        SELECT json_build_array(l.sku, l.name, l.variant, i.quantity)
        FROM tickets_returnline i JOIN tickets_orderline l ON l.id = i.order_line_id
        WHERE i.parent_id = r.id ORDER BY l.sku
      )
    ) ORDER BY r.created_at DESC)
    FROM tickets_return r WHERE r.order_id = o.id
  )::text END,
  CASE WHEN 'refunds' = ANY(%(parts)s::text[]) THEN (
    SELECT json_agg(json_build_object(
      'place', f.place, 'amount', f.amount::text, 'status', f.status, 'created_at', f.created_at,
      'is_favour', CASE
        WHEN a.tool = 'cancel_order' THEN false
        WHEN f.action_id IS NULL AND o.status = 'cancelled' THEN false
        WHEN f.action_id IS NULL AND EXISTS (
          SELECT FROM tickets_return r WHERE r.order_id = o.id AND r.status = 'refunded'
        ) THEN false
        ELSE true END
    ) ORDER BY f.created_at, f.id)
    FROM (
      SELECT id, action_id, amount, status, created_at, rank() OVER (ORDER BY created_at) AS place
      FROM tickets_refund WHERE order_id = o.id
    ) f LEFT JOIN tickets_action a ON a.id = f.action_id
  )::text END
FROM tickets_order o WHERE o.customer_id = %(customer)s AND o.order_number = %(number)s
"""


def order_record_of(*, customer_id: UUID, order_number: str, parts: Collection[str] = EVERYTHING) -> OrderRecord | None:
    """The order; parts that are not asked for are empty. One query."""
    rows = prepared(_ORDER, {"customer": customer_id, "number": order_number, "parts": list(parts)})
    return _order(rows[0]) if rows else None


def _order(row: tuple[Any, ...]) -> OrderRecord:
    number, status, currency, total, placed_at, delivered_at, paid, refunded, *rest = row
    shipping_method, shipping_address, note, kinds, lines, parcels, returns, refunds = rest
    return OrderRecord(
        order_number=number,
        status=status,
        currency=currency,
        total=total,
        placed_at=placed_at,
        delivered_at=delivered_at,
        paid=paid,
        refunded=refunded,
        shipping_method=shipping_method,
        shipping_address=shipping_address,
        note=note,
        lines=tuple(_line(line) for line in _part(lines)),
        parcels=tuple(_parcel(parcel) for parcel in _part(parcels)),
        returns=tuple(_return(parcel, number, currency) for parcel in _part(returns)),
        refunds=tuple(_refund(refund, number, currency) for refund in _part(refunds)),
        open_problems=tuple(kinds),
    )


def _part(text: str | None) -> list[Json]:
    return json.loads(text) if text else []


def _line(line: Json) -> LineRecord:
    line["unit_price"] = Decimal(line["unit_price"])
    return LineRecord(**line)


def _parcel(parcel: Json) -> ParcelRecord:
    due = parcel["estimated_delivery"]
    return ParcelRecord(
        tracking_number=parcel["tracking_number"],
        carrier=parcel["carrier"],
        status=parcel["status"],
        shipped_at=_moment(parcel["shipped_at"]),
        estimated_delivery=date.fromisoformat(due) if due else None,
        delivered_at=_moment(parcel["delivered_at"]),
        skus=tuple(parcel["skus"]),
        scans=tuple(ScanRecord(_utc(at), *words) for at, *words in parcel["scans"]),
    )


def _return(parcel: Json, order_number: str, currency: str) -> ReturnRecord:
    return ReturnRecord(
        number=parcel["number"],
        order_number=order_number,
        status=parcel["status"],
        fee=Decimal(parcel["fee"]),
        currency=currency,
        created_at=_utc(parcel["created_at"]),
        items=tuple(ReturnedItem(*item) for item in parcel["items"]),
        reason=parcel["reason"],
    )


def _refund(refund: Json, order_number: str, currency: str) -> RefundRecord:
    return RefundRecord(
        reference=f"{order_number}-R{refund['place']}",
        order_number=order_number,
        amount=Decimal(refund["amount"]),
        currency=currency,
        status=refund["status"],
        created_at=_utc(refund["created_at"]),
        is_favour=refund["is_favour"],
    )


def _moment(text: str | None) -> datetime | None:
    return _utc(text) if text else None


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
