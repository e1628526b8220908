"""The shop's books: one SQLite file. Amounts are whole cents, moments ISO 8601 in UTC."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

SCHEMA = """
CREATE TABLE customers (
    ref TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, phone TEXT NOT NULL,
    shipping_address TEXT NOT NULL, plan TEXT NOT NULL, status TEXT NOT NULL, locale TEXT NOT NULL,
    marketing_opt_in INTEGER NOT NULL, member_since TEXT NOT NULL);
CREATE TABLE orders (
    order_number TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers, status TEXT NOT NULL,
    currency TEXT NOT NULL DEFAULT 'EUR', total INTEGER NOT NULL CHECK (total >= 0),
    paid INTEGER NOT NULL CHECK (paid >= 0), refunded INTEGER NOT NULL DEFAULT 0,
    shipping_method TEXT NOT NULL, shipping_address TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
    placed_at TEXT NOT NULL, delivered_at TEXT, status_before_cancel TEXT,
    CONSTRAINT refunds_within_paid CHECK (refunded BETWEEN 0 AND paid));
CREATE TABLE lines (
    order_number TEXT NOT NULL REFERENCES orders, sku TEXT NOT NULL, name TEXT NOT NULL, variant TEXT NOT NULL,
    category TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0), unit_price INTEGER NOT NULL,
    PRIMARY KEY (order_number, sku));
CREATE TABLE parcels (
    tracking_number TEXT PRIMARY KEY, order_number TEXT NOT NULL REFERENCES orders, carrier TEXT NOT NULL,
    status TEXT NOT NULL, shipped_at TEXT, estimated_delivery TEXT, delivered_at TEXT);
CREATE TABLE scans (
    tracking_number TEXT NOT NULL REFERENCES parcels, at TEXT NOT NULL, location TEXT NOT NULL,
    description TEXT NOT NULL);
CREATE TABLE invoices (
    number TEXT PRIMARY KEY, order_number TEXT NOT NULL REFERENCES orders, description TEXT NOT NULL,
    amount INTEGER NOT NULL, status TEXT NOT NULL, issued_at TEXT NOT NULL, status_before_cancel TEXT);
CREATE TABLE returns (
    number TEXT PRIMARY KEY, order_number TEXT NOT NULL REFERENCES orders, status TEXT NOT NULL, fee INTEGER NOT NULL,
    reason TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE return_items (
    number TEXT NOT NULL REFERENCES returns, sku TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0));
CREATE TABLE refunds (
    reference TEXT PRIMARY KEY, order_number TEXT NOT NULL REFERENCES orders,
    amount INTEGER NOT NULL CHECK (amount > 0), status TEXT NOT NULL, reason TEXT NOT NULL, is_favour INTEGER NOT NULL,
    approved_by TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE problems (
    order_number TEXT NOT NULL REFERENCES orders, kind TEXT NOT NULL, wish TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE fittings (time TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers);
CREATE TABLE keys (
    key TEXT PRIMARY KEY, call TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL);

-- What was given back is summed by the database itself, and its constraint holds it within what was paid.
CREATE TRIGGER refund_made AFTER INSERT ON refunds WHEN NEW.status <> 'rejected' BEGIN
    UPDATE orders SET refunded = refunded + NEW.amount WHERE order_number = NEW.order_number;
END;
CREATE TRIGGER refund_rejected AFTER UPDATE OF status ON refunds
WHEN NEW.status = 'rejected' AND OLD.status <> 'rejected' BEGIN
    UPDATE orders SET refunded = refunded - NEW.amount WHERE order_number = NEW.order_number;
END;
"""


class Books:
    """One connection for the whole server: a small shop has one till. Whatever is committed survives a kill."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._one_at_a_time = RLock()
        with self.transaction() as db:
            self.is_new = not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'customers'").fetchone()
            if self.is_new:
                for statement in _statements(SCHEMA):
                    db.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one after the other."""
        with self._one_at_a_time:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


@contextmanager
def attempt(db: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that leaves nothing behind when it raises."""
    db.execute("SAVEPOINT attempt")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO attempt")
        raise
    finally:
        db.execute("RELEASE attempt")


def _statements(script: str) -> Iterator[str]:
    """`executescript` would commit first: one statement after the other, inside the caller's transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
