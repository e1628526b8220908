"""What the shop answers: rows of its books as JSON. Amounts are texts like "1299.00"; whatever is another customer's is
not there."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
Db = sqlite3.Connection
RETURNS = "SELECT * FROM returns WHERE order_number = ? ORDER BY created_at, rowid"
REFUNDS = "SELECT * FROM refunds WHERE order_number = ? ORDER BY created_at, rowid"
CUSTOMER = (
    "ref", "email", "name", "phone", "shipping_address", "plan", "status", "locale", "marketing_opt_in", "member_since",
)  # fmt: skip


class Problem(Exception):
    """A request the shop does not fulfil: the status of its answer, a code, and a sentence a customer may read."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def as_json(self) -> Json:
        return {"code": self.code, "message": self.message}


def missing(what: str) -> Problem:
    return Problem(404, "not_found", f"There is no such {what}.")


def euros(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"


def moment(at: datetime) -> str:
    """As the books keep it: UTC, to the second, ordered as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def customer(db: Db, ref: str) -> Json:
    return _customer(db.execute("SELECT * FROM customers WHERE ref = ?", [ref]).fetchone())


def customer_by_email(db: Db, email: str) -> Json:
    """A closed account is as good as none."""
    found = db.execute("SELECT * FROM customers WHERE email = ? AND status <> 'closed'", [email.strip()])
    return _customer(found.fetchone())


def orders(db: Db, ref: str, limit: int) -> Json:
    customer(db, ref)
    rows = db.execute("SELECT * FROM orders WHERE customer = ? ORDER BY placed_at DESC", [ref]).fetchall()
    return {"orders": [summary(row) for row in rows[:limit]], "more": max(len(rows) - limit, 0)}


def order(db: Db, ref: str, number: str) -> Json:
    """The whole order."""
    row = order_row(db, ref, number)
    problems = db.execute("SELECT kind FROM problems WHERE order_number = ? ORDER BY created_at, rowid", [number])
    return {
        **summary(row),
        "paid": euros(row["paid"]),
        "refunded": euros(row["refunded"]),
        "shipping_method": row["shipping_method"],
        "shipping_address": row["shipping_address"],
        "note": row["note"],
        "lines": lines(db, number),
        "parcels": _parcels(db, number),
        "returns": [return_(db, ref, found["number"]) for found in db.execute(RETURNS, [number])],
        "refunds": [refund(row, found) for found in db.execute(REFUNDS, [number])],
        "open_problems": [problem["kind"] for problem in problems],
    }


def order_row(db: Db, ref: str, number: str) -> sqlite3.Row:
    """Raises Problem 404 for another customer's order as for none."""
    found = db.execute("SELECT * FROM orders WHERE order_number = ? AND customer = ?", [number, ref]).fetchone()
    if found is None:
        raise missing("order")
    row: sqlite3.Row = found
    return row


def summary(row: sqlite3.Row) -> Json:
    same = ("customer", "order_number", "status", "currency", "placed_at", "delivered_at")
    return {**{name: row[name] for name in same}, "total": euros(row["total"])}


def lines(db: Db, number: str) -> list[Json]:
    """`left` is what could still come back."""
    found = db.execute(
        """SELECT l.*,
                  coalesce(sum(i.quantity) FILTER (WHERE r.status NOT IN ('rejected', 'cancelled')), 0) AS back,
                  coalesce(sum(i.quantity) FILTER (WHERE r.status = 'refunded'), 0) AS returned
           FROM lines l LEFT JOIN returns r USING (order_number)
                LEFT JOIN return_items i ON i.number = r.number AND i.sku = l.sku
           WHERE l.order_number = ? GROUP BY l.sku ORDER BY l.sku""",
        [number],
    )
    same = ("sku", "name", "variant", "category", "quantity", "returned")
    return [
        {
            **{name: row[name] for name in same},
            "unit_price": euros(row["unit_price"]),
            "left": row["quantity"] - row["back"],
        }
        for row in found
    ]


def return_(db: Db, ref: str, number: str) -> Json:
    row = db.execute(
        """SELECT r.*, o.customer, o.currency FROM returns r JOIN orders o USING (order_number)
           WHERE r.number = ? AND o.customer = ?""",
        [number, ref],
    ).fetchone()
    if row is None:
        raise missing("return")
    items = db.execute(
        """SELECT i.sku, l.name, l.variant, i.quantity FROM return_items i JOIN lines l USING (sku)
           WHERE i.number = ? AND l.order_number = ? ORDER BY i.sku""",
        [number, row["order_number"]],
    )
    same = ("customer", "number", "order_number", "status", "currency", "created_at", "reason")
    return {
        **{name: row[name] for name in same},
        "fee": euros(row["fee"]),
        "items": [dict(item) for item in items],
    }


def refund(order: sqlite3.Row, row: sqlite3.Row) -> Json:
    same = ("reference", "order_number", "status", "created_at")
    return {
        "customer": order["customer"],
        **{name: row[name] for name in same},
        "amount": euros(row["amount"]),
        "currency": order["currency"],
        "is_favour": bool(row["is_favour"]),
    }


def refunds_since(db: Db, ref: str, since: datetime) -> Json:
    customer(db, ref)
    rows = db.execute(
        """SELECT r.*, o.customer, o.currency FROM refunds r JOIN orders o USING (order_number)
           WHERE o.customer = ? AND r.created_at >= ? AND r.status <> 'rejected'
           ORDER BY r.created_at DESC, r.rowid DESC""",
        [ref, moment(since)],
    )
    return {"refunds": [refund(row, row) for row in rows]}


def invoices(db: Db, ref: str, limit: int) -> Json:
    customer(db, ref)
    rows = db.execute(
        """SELECT i.*, o.customer, o.currency FROM invoices i JOIN orders o USING (order_number)
           WHERE o.customer = ? ORDER BY i.issued_at DESC LIMIT ?""",
        [ref, limit],
    )
    same = ("customer", "number", "currency", "status", "issued_at", "order_number", "description")
    return {"invoices": [{**{name: row[name] for name in same}, "amount": euros(row["amount"])} for row in rows]}


def _customer(row: sqlite3.Row | None) -> Json:
    if row is None:
        raise missing("customer")
    return {**{name: row[name] for name in CUSTOMER}, "marketing_opt_in": bool(row["marketing_opt_in"])}


def _parcels(db: Db, number: str) -> list[Json]:
    """Each with its scans, newest first. A small shop sends an order in one parcel, so all its lines are in it."""
    skus = [line["sku"] for line in lines(db, number)]
    rows = db.execute("SELECT * FROM parcels WHERE order_number = ? ORDER BY rowid", [number]).fetchall()
    scans = "SELECT at, location, description FROM scans WHERE tracking_number = ? ORDER BY at DESC"
    same = ("tracking_number", "carrier", "status", "shipped_at", "estimated_delivery", "delivered_at")
    return [
        {
            **{name: row[name] for name in same},
            "skus": skus,
            "scans": [dict(scan) for scan in db.execute(scans, [row["tracking_number"]])],
        }
        for row in rows
    ]
