"""Orders from CSV files: one of orders, and one of their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Lower

from tickets.imports.items import digest_of
from tickets.imports.records import Done, Step, changed_fields, each_row, kept_back, remember
from tickets.imports.report import Deed, Report
from tickets.imports.rows import BadValue, Row
from tickets.masks import LONGEST, canonical, masks
from tickets.models import Customer, ImportedRecord, Order, OrderLine, Product, Refund, Shipment
from tickets.models.orders import ShipmentEvent
from tickets.workspace import currency_of_house, workspace

REQUIRED = ("order_number", "email", "status", "total", "placed_at", "shipping_address")
PARCEL = ("tracking_number", "carrier", "shipment_status", "shipped_at", "estimated_delivery")
COLUMNS = (*REQUIRED, "currency", "paid_total", "refunded", "shipping_method", "note", "delivered_at", "cancelled_at",
           *PARCEL)  # fmt: skip
LINE_REQUIRED = ("order_number", "sku", "name", "quantity", "unit_price")
LINE_COLUMNS = (*LINE_REQUIRED, "variant", "category", "returned_quantity")
EXAMPLE = """order_number,email,status,total,currency,paid_total,refunded,placed_at,shipping_address,delivered_at,\
tracking_number,carrier,shipment_status,shipped_at,estimated_delivery
AP-300001,mia.meyer@example.com,delivered,180.00,EUR,180.00,25.00,2026-03-01T14:30:00+01:00,"Lindenweg 4
10115 Berlin
Germany",2026-03-05T10:12:00+01:00,DHL-4711,DHL,delivered,2026-03-02T08:00:00+01:00,2026-03-05
AP-300002,tom.reed@example.com,paid,130.00,USD,130.00,,2026-11-20T09:15:00-08:00,"12 Fir Street
Portland, OR 97205
USA",,,,,,
"""
LINES_EXAMPLE = """order_number,sku,name,variant,quantity,unit_price,category,returned_quantity
AP-300001,TNT-2P-GRN,Two-person tent,forest green,1,130.00,camping,
AP-300001,LAN-01-BLK,Lantern,black,2,25.00,camping,1
AP-300002,TNT-2P-GRN,Two-person tent,forest green,1,130.00,camping,
"""
UNPAID = {Order.Status.PENDING.value, Order.Status.CANCELLED.value}


def import_orders(
    rows: Iterable[Row],
    *,
    file: str,
    report: Report,
    lines: Iterable[Row] = (),
    lines_file: str = "",
    overwrite: bool = False,
    step: Step = lambda _: None,
) -> None:
    """Create and change them; an order that something was done to here is left as it is."""
    known, of_order = masks(workspace().order_number_format), dict[str, list[Row]]()
    for line in lines:
        of_order.setdefault(canonical(known, line.text("order_number")), []).append(line)
    seen: dict[str, int] = {}

    def one(row: Row) -> Done:
        number = canonical(known, row.text("order_number", required=True, most=LONGEST))  # as it is asked for later
        if number in seen:
            raise BadValue(f"order {number} stands in line {seen[number]} already")
        seen[number] = row.line
        try:
            return _order(row, number, _lines(of_order.get(number, ())), overwrite)
        finally:
            of_order.pop(number, None)

    each_row(rows, file, one, report=report, step=step)
    for number, left in of_order.items():
        why = f"order {number or 'without a number'} is not in {file}, or its row was read before"
        report.add(Deed.SKIPPED, f"{lines_file}:{left[0].line}", "", why)


def _order(row: Row, number: str, lines: Sequence[dict[str, Any]], overwrite: bool) -> Done:
    new, parcel, refunded = _values(row), _parcel(row), row.amount("refunded") or Decimal(0)
    if refunded > new["paid_total"]:
        raise BadValue(f"refunded is {refunded}, more than was paid ({new['paid_total']})")
    customer = _customer(row)
    told = {**row.cells, "lines": [{name: str(value) for name, value in line.items()} for line in lines]}
    order = Order.objects.select_for_update(no_key=True).filter(order_number=number).first()
    if order is None:
        order = Order(order_number=number, customer=customer, **new)
        order.full_clean()
        order.save()
        _beside(order, lines, parcel, refunded)
        remember(ImportedRecord(order=order), told, new)
        return Done(Deed.CREATED, number)
    if order.customer_id != customer.pk:
        return Done(Deed.CONFLICT, number, "belongs to another customer here")
    record = ImportedRecord.objects.filter(order=order).first()
    if record is not None and record.digest == digest_of(told):
        return Done(Deed.UNCHANGED, number)
    if (why := _done_here(order)) and not overwrite:
        return Done(Deed.CONFLICT, number, f"changed there, but {why} here; left as it is")
    record = record or ImportedRecord(order=order)
    write, mine = changed_fields(order, new, record.left)
    if overwrite:
        write, mine = [name for name, value in new.items() if getattr(order, name) != value], []
    for name in write:
        setattr(order, name, new[name])
    order.full_clean()
    order.save()
    _beside(order, lines, parcel, refunded)
    if mine:
        return Done(Deed.CONFLICT, number, kept_back(mine))
    remember(record, told, new)
    return Done(Deed.UPDATED, number, ", ".join(write) or "its lines, parcel or refunds")


def _done_here(order: Order) -> str:
    """What our side did to an order, in a few words; nothing when nothing."""
    if order.refunds.filter(action__isnull=False).exists() or order.refunds.filter(approved_by__isnull=False).exists():
        return "a refund was made"
    if order.returns.exists():
        return "a return was made"
    if order.status_before_cancel:
        return "it was cancelled"
    return "a problem was reported" if order.problems.exists() else ""


def _beside(order: Order, lines: Sequence[Mapping[str, Any]], parcel: Mapping[str, Any], refunded: Decimal) -> None:
    """Its lines and their products, its parcel, and what had been given back."""
    for line in lines:
        made, _ = Product.objects.get_or_create(
            sku=line["sku"],
            defaults={
                "name": line["name"], "variant": line["variant"], "category": line["category"],
                "price": line["unit_price"],
            },
        )  # fmt: skip
        values = {name: line[name] for name in ("name", "variant", "quantity", "unit_price", "returned_quantity")}
        OrderLine.objects.update_or_create(order=order, sku=line["sku"], defaults={**values, "product": made})
    if parcel:
        _ship(order, parcel)
    before = order.refunds.exclude(status=Refund.Status.REJECTED).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    if refunded > before:
        reason = "Given back in the shop before the import."
        Refund.objects.create(order=order, amount=refunded - before, reason=reason, status=Refund.Status.PAID)


def _ship(order: Order, parcel: Mapping[str, Any]) -> None:
    number, values = parcel["tracking_number"], {name: parcel[name] for name in parcel if name != "tracking_number"}
    known = Shipment.objects.filter(tracking_number=number).first()
    if known is not None and known.order_id != order.pk:
        raise BadValue(f"tracking_number {number!r} is that of order {known.order}")
    if known is not None and all(getattr(known, name) == value for name, value in values.items()):
        return
    shipment, _ = Shipment.objects.update_or_create(tracking_number=number, order=order, defaults=values)
    at = values["delivered_at"] or values["shipped_at"] or order.placed_at
    ShipmentEvent.objects.get_or_create(shipment=shipment, at=at, description=shipment.get_status_display())


def _values(row: Row) -> dict[str, Any]:
    status = row.choice("status", Order.Status.values)
    total = row.amount("total")
    if total is None:
        raise BadValue("total is empty")
    if (placed := row.moment("placed_at")) is None:
        raise BadValue("placed_at is empty")
    paid = row.amount("paid_total")
    currency = (row.text("currency") or currency_of_house()).upper()
    if not (len(currency) == 3 and currency.isalpha() and currency.isascii()):
        raise BadValue(f"currency is {currency!r}; a code of three letters such as EUR is expected")
    return {
        "status": status,
        "total": total,
        "paid_total": paid if paid is not None else Decimal(0) if status in UNPAID else total,
        "currency": currency,
        "shipping_method": row.text("shipping_method", most=20) or "standard",
        "shipping_address": row.text("shipping_address", required=True, most=300),
        "note": row.text("note", most=2000),
        "placed_at": placed,
        "delivered_at": row.moment("delivered_at"),
        "cancelled_at": row.moment("cancelled_at"),
    }


def _parcel(row: Row) -> dict[str, Any]:
    number = row.text("tracking_number", most=32)
    if not number:
        if told := [name for name in PARCEL if row.text(name)]:
            raise BadValue(f"{told[0]} without a tracking_number")
        return {}
    status = row.choice("shipment_status", Shipment.Status.values, Shipment.Status.IN_TRANSIT.value)
    return {
        "tracking_number": number,
        "carrier": row.text("carrier", required=True, most=60),
        "status": status,
        "shipped_at": row.moment("shipped_at"),
        "estimated_delivery": row.day("estimated_delivery"),
        "delivered_at": row.moment("delivered_at") if status == Shipment.Status.DELIVERED else None,
    }


def _lines(rows: Iterable[Row]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        try:
            line = _line(row)
        except BadValue as problem:
            raise BadValue(f"its line {row.line}: {problem}") from None
        if line["sku"] in found:
            raise BadValue(f"its line {row.line}: sku {line['sku']} stands twice in one order")
        found[line["sku"]] = line
    return list(found.values())


def _line(row: Row) -> dict[str, Any]:
    if row.wrong:
        raise BadValue(row.wrong)
    price, quantity = row.amount("unit_price"), row.whole("quantity", 0)
    if price is None or quantity < 1:
        raise BadValue("quantity and unit_price are needed, a quantity of 1 at least")
    if (returned := row.whole("returned_quantity", 0)) > quantity:
        raise BadValue(f"returned_quantity is {returned}, more than were bought")
    return {
        "sku": row.text("sku", required=True, most=32),
        "name": row.text("name", required=True, most=120),
        "variant": row.text("variant", most=80),
        "category": row.text("category", most=40) or "other",
        "quantity": quantity,
        "unit_price": price,
        "returned_quantity": returned,
    }


def _customer(row: Row) -> Customer:
    email = row.text("email", required=True)
    found = Customer.objects.alias(lowered=Lower("email")).filter(lowered=email.lower()).first()
    if found is None:
        raise BadValue(f"there is no customer {email}: import_customers comes first")
    return found
