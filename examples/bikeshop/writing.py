"""What may be changed from outside: functions of the books, the customer's id, a number and the checked body."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, StrictBool

from examples.bikeshop import fittings
from examples.bikeshop.fittings import Body
from examples.bikeshop.reading import (
    Db,
    Json,
    Problem,
    customer,
    euros,
    moment,
    order,
    order_row,
    refund,
    return_,
    summary,
)
from examples.bikeshop.reading import lines as lines_of

Cents = int
MONEY = r"^\d{1,7}\.\d{2}$"
CANCELLABLE = ("pending", "paid")


class Cancel(Body):
    reason: str = Field(max_length=500)


class Restore(Body):
    undo: dict[str, str]


class MakeReturn(Body):
    skus: list[str] = Field(min_length=1, max_length=50)
    reason: str = Field(max_length=500)
    fee: str = Field(pattern=MONEY)


class MakeRefund(Body):
    amount: str = Field(pattern=MONEY)
    reason: str = Field(max_length=500)


class Report(Body):
    kind: str = Field(pattern="^(lost|late|damaged|wrong_item|missing_item)$")
    wish: str = Field(pattern="^(replacement|refund|wait)$")


class Change(Body):
    field: str = Field(pattern="^(name|phone|shipping_address|marketing_opt_in)$")
    value: StrictBool | str = Field(union_mode="left_to_right")


def cancel_order(db: Db, ref: str, number: str, body: Cancel) -> Json:
    """Cancels and gives back what was paid. What `restore_order` needs is in `undo`."""
    row = order_row(db, ref, number)
    if row["status"] not in CANCELLABLE:
        raise Problem(409, "not_cancellable", "This order can no longer be cancelled.")
    db.execute("UPDATE orders SET status_before_cancel = status, status = 'cancelled' WHERE order_number = ?", [number])
    db.execute(
        """UPDATE invoices SET status_before_cancel = status,
                  status = CASE status WHEN 'paid' THEN 'refunded' ELSE 'void' END
           WHERE order_number = ? AND status IN ('paid', 'open')""",
        [number],
    )
    left = row["paid"] - row["refunded"]
    made = _refund(db, row, left, body.reason, body.approved_by, is_favour=False) if left else None
    return {
        "order": summary(order_row(db, ref, number)),
        "refund": made,
        "undo": {"refund": made["reference"] if made else ""},
    }


RESTORE = (
    """UPDATE orders SET status = status_before_cancel, status_before_cancel = NULL
       WHERE order_number = ? AND status_before_cancel IS NOT NULL""",
    """UPDATE invoices SET status = status_before_cancel, status_before_cancel = NULL
       WHERE order_number = ? AND status_before_cancel IS NOT NULL""",
)


def restore_order(db: Db, ref: str, number: str, body: Restore) -> Json:
    row = order_row(db, ref, number)
    if row["status"] != "cancelled" or not row["status_before_cancel"]:
        raise Problem(409, "not_cancelled", "This order is not cancelled any more.")
    reference = body.undo.get("refund", "")
    of_cancelling = [reference, number]
    found = db.execute(
        "SELECT status FROM refunds WHERE reference = ? AND order_number = ? AND NOT is_favour", of_cancelling
    ).fetchone()
    if found and found["status"] == "paid":
        raise Problem(409, "too_late", "The money is already on its way, so the order can no longer be restored.")
    db.execute(
        "UPDATE refunds SET status = 'rejected' WHERE reference = ? AND order_number = ? AND NOT is_favour",
        of_cancelling,
    )
    for statement in RESTORE:
        db.execute(statement, [number])
    return order(db, ref, number)


def create_return(db: Db, ref: str, number: str, body: MakeReturn) -> Json:
    """Each SKU with all its pieces that are left."""
    row = order_row(db, ref, number)
    if row["status"] not in ("delivered", "partly_returned"):
        raise Problem(409, "not_delivered", "Only what has been delivered can be sent back.")
    left = {line["sku"]: line["left"] for line in lines_of(db, number)}
    skus = sorted(set(body.skus))
    if unknown := [sku for sku in skus if sku not in left]:
        raise Problem(422, "unknown_sku", f"This order has no item {unknown[0]}.")
    if gone := [sku for sku in skus if not left[sku]]:
        raise Problem(409, "already_returned", f"{gone[0]} has been sent back or is on its way back.")
    made = db.execute("SELECT count(*) FROM returns").fetchone()[0] + 1
    parcel = f"FR-{made:05d}"
    db.execute(
        "INSERT INTO returns VALUES (?, ?, 'label_sent', ?, ?, ?)",
        [parcel, number, _cents(body.fee), body.reason, _now()],
    )
    db.executemany("INSERT INTO return_items VALUES (?, ?, ?)", [(parcel, sku, left[sku]) for sku in skus])
    return return_(db, ref, parcel)


def cancel_return(db: Db, ref: str, number: str, body: Body) -> Json:
    parcel = return_(db, ref, number)
    if parcel["status"] != "label_sent":
        raise Problem(409, "too_late", "The parcel is already with us, so the return can no longer be taken back.")
    db.execute("UPDATE returns SET status = 'cancelled' WHERE number = ?", [number])
    return return_(db, ref, number)


def create_refund(db: Db, ref: str, number: str, body: MakeRefund) -> Json:
    row = order_row(db, ref, number)
    if row["status"] == "cancelled":
        raise Problem(409, "order_cancelled", "This order is cancelled; its money is already on its way back.")
    amount = _cents(body.amount)
    if not amount:
        raise Problem(422, "amount_not_positive", "The amount must be more than zero.")
    made = _refund(db, row, amount, body.reason, body.approved_by, is_favour=True)
    db.execute("UPDATE orders SET status = 'refunded' WHERE order_number = ? AND refunded = paid", [number])
    return {**made, "refunded_total": euros(order_row(db, ref, number)["refunded"])}


def report_problem(db: Db, ref: str, number: str, body: Report) -> Json:
    order_row(db, ref, number)
    if db.execute("SELECT 1 FROM problems WHERE order_number = ? AND kind = ?", [number, body.kind]).fetchone():
        raise Problem(409, "already_reported", "This problem is already reported and we are working on it.")
    db.execute("INSERT INTO problems VALUES (?, ?, ?, ?)", [number, body.kind, body.wish, _now()])
    return order(db, ref, number)


CHANGE = {  # what of an account may be changed, and how
    "name": "UPDATE customers SET name = ? WHERE ref = ?",
    "phone": "UPDATE customers SET phone = ? WHERE ref = ?",
    "shipping_address": "UPDATE customers SET shipping_address = ? WHERE ref = ?",
    "marketing_opt_in": "UPDATE customers SET marketing_opt_in = ? WHERE ref = ?",
}


def update_customer(db: Db, ref: str, _: str, body: Change) -> Json:
    known = customer(db, ref)
    if isinstance(body.value, bool) != (body.field == "marketing_opt_in"):
        raise Problem(422, "invalid_value", f"That is no value for {body.field}.")
    db.execute(CHANGE[body.field], [body.value, known["ref"]])
    return customer(db, ref)


# By the names of the product's port, and two of the shop's own; server.py has their paths.
CALLS: dict[str, tuple[type[Any], Callable[[Db, str, str, Any], Json]]] = {
    "cancel_order": (Cancel, cancel_order),
    "restore_order": (Restore, restore_order),
    "create_return": (MakeReturn, create_return),
    "cancel_return": (Body, cancel_return),
    "create_refund": (MakeRefund, create_refund),
    "report_problem": (Report, report_problem),
    "update_customer": (Change, update_customer),
    "book_fitting": (fittings.Book, fittings.book),
    "cancel_fitting": (Body, fittings.cancel),
}


def _refund(db: Db, order: sqlite3.Row, amount: Cents, reason: str, approved_by: str, *, is_favour: bool) -> Json:
    """The database says how much is left, not we."""
    number = order["order_number"]
    place = db.execute("SELECT count(*) FROM refunds WHERE order_number = ?", [number]).fetchone()[0] + 1
    reference = f"{number}-R{place}"
    try:
        db.execute(
            "INSERT INTO refunds VALUES (?, ?, ?, 'approved', ?, ?, ?, ?)",
            [reference, number, amount, reason, is_favour, approved_by, _now()],
        )
    except sqlite3.IntegrityError as error:
        if "refunds_within_paid" not in str(error):
            raise
        raise Problem(409, "too_much", "That is more than what was paid and not given back yet.") from error
    return refund(order, db.execute("SELECT * FROM refunds WHERE reference = ?", [reference]).fetchone())


def _cents(amount: str) -> Cents:
    return int(amount.replace(".", ""))


def _now() -> str:
    return moment(datetime.now(UTC))
