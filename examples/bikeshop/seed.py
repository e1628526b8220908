"""A small fixed cast: customers, and an order in each state. Moments are counted back from the seeding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from examples.bikeshop.reading import Db, moment

Line = tuple[str, int]
# ref, e-mail, name, phone, address, plan, status, locale, newsletter, since
CUSTOMERS = (
    (
        "c_1001",
        "astrid.lind@example.com",
        "Astrid Lind",
        "+47 22 12 34 56",
        "Astrid Lind\nStorgata 12\n0184 Oslo\nNorway",
        "free",
        "active",
        "en",
        0,
        "2024-03-02",
    ),
    (
        "c_1002",
        "bruno.keller@example.com",
        "Bruno Keller",
        "+49 30 901820",
        "Bruno Keller\nLindenweg 4\n10115 Berlin\nGermany",
        "plus",
        "active",
        "de-DE",
        1,
        "2023-06-18",
    ),
    (
        "c_1003",
        "chloe.martin@example.com",
        "Chloé Martin",
        "",
        "Atelier Martin\n8 rue des Lilas\n69003 Lyon\nFrance",
        "enterprise",
        "active",
        "fr-FR",
        0,
        "2022-01-10",
    ),
    (
        "c_1004",
        "dagny.holm@example.com",
        "Dagny Holm",
        "",
        "Dagny Holm\nKirkeveien 1\n5003 Bergen\nNorway",
        "free",
        "closed",
        "en",
        0,
        "2021-05-05",
    ),
    (
        "c_1005",
        "emil.berg@example.com",
        "Emil Berg",
        "+46 8 123 456 78",
        "Emil Berg\nTallvägen 9\n113 20 Stockholm\nSweden",
        "free",
        "active",
        "en",
        0,
        "2026-02-20",
    ),
    (
        "c_1006",
        "farah.said@example.com",
        "Farah Said",
        "",
        "Farah Said\nTorggata 2\n0181 Oslo\nNorway",
        "free",
        "suspended",
        "en",
        0,
        "2025-09-09",
    ),
)
ARTICLES = {
    # SKU: name, variant, category, price in cents
    "BIK-TRAIL-M": ("Fjell Trail 29 mountain bike", "size M", "bikes", 129900),
    "BIK-CITY-L": ("Fjord City bike", "size L", "bikes", 89900),
    "HLM-AERO-M": ("Aero helmet", "size M", "helmets", 7900),
    "LGT-SET-01": ("Light set", "front and rear", "lights", 3450),
    "TUB-29-PR": ("Inner tube 29", "presta", "parts", 790),
    "PED-FLAT": ("Flat pedals", "black", "parts", 5900),
    "GFT-100": ("Gift card", "100 EUR", "gift_card", 10000),
}
# number, customer, status, lines, days since ordering, days since delivery, parcel's status
ORDERS: tuple[tuple[str, str, str, tuple[Line, ...], int, int | None, str], ...] = (
    ("FC-2026-01234", "c_1001", "delivered", (("HLM-AERO-M", 1), ("TUB-29-PR", 3)), 9, 5, "delivered"),
    ("FC-2026-01241", "c_1001", "paid", (("LGT-SET-01", 2), ("PED-FLAT", 1)), 0, None, ""),
    ("FC-2026-01238", "c_1001", "shipped", (("BIK-TRAIL-M", 1),), 3, None, "in_transit"),
    ("FC-2026-01210", "c_1002", "delivered", (("BIK-CITY-L", 1), ("LGT-SET-01", 1)), 12, 8, "delivered"),
    ("FC-2026-01198", "c_1002", "shipped", (("PED-FLAT", 1),), 20, None, "delayed"),
    ("FC-2026-01240", "c_1002", "packed", (("GFT-100", 1),), 1, None, "pending"),
    ("FC-2026-01150", "c_1003", "partly_returned", (("HLM-AERO-M", 2), ("LGT-SET-01", 4)), 25, 20, "delivered"),
    ("FC-2026-01101", "c_1003", "returned", (("PED-FLAT", 2),), 50, 45, "delivered"),
    ("FC-2026-01080", "c_1003", "refunded", (("LGT-SET-01", 1),), 60, None, "lost"),
    ("FC-2026-01160", "c_1003", "cancelled", (("BIK-CITY-L", 1),), 22, None, ""),
    ("FC-2026-01242", "c_1003", "pending", (("TUB-29-PR", 10),), 0, None, ""),
    ("FC-2026-01239", "c_1005", "assembling", (("BIK-TRAIL-M", 1),), 2, None, ""),  # a word of this shop alone
)
SCANS = {
    "pending": (),
    "in_transit": ((2, "Oslo", "Picked up from the shop"), (1, "Göteborg", "Sorted at the depot")),
    "delayed": ((18, "Oslo", "Picked up from the shop"), (15, "Hamburg", "Delayed at the depot")),
    "lost": ((58, "Oslo", "Picked up from the shop"),),
    "delivered": ((2, "Oslo", "Picked up from the shop"), (0, "", "Delivered to the door")),
}
EMPTY = (  # whatever refers to another table before it
    "DELETE FROM keys",
    "DELETE FROM fittings",
    "DELETE FROM problems",
    "DELETE FROM refunds",
    "DELETE FROM return_items",
    "DELETE FROM returns",
    "DELETE FROM invoices",
    "DELETE FROM scans",
    "DELETE FROM parcels",
    "DELETE FROM lines",
    "DELETE FROM orders",
    "DELETE FROM customers",
)


def fill(db: Db) -> None:
    """Write the cast into empty books."""
    now = datetime.now(UTC)
    db.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", CUSTOMERS)
    for place, (number, ref, status, lines, age, delivered, parcel) in enumerate(ORDERS):
        placed = now - timedelta(days=age, hours=1 + place)
        arrived = None if delivered is None else now - timedelta(days=delivered)
        _order(db, number, ref, status, lines, placed, arrived)
        if parcel:
            _parcel(db, number, parcel, placed, arrived, now)
    _came_back(db, "FR-00001", "FC-2026-01150", "HLM-AERO-M", 1, 7900, now - timedelta(days=10))
    _came_back(db, "FR-00002", "FC-2026-01101", "PED-FLAT", 2, 11800, now - timedelta(days=40))
    _given_back(db, "FC-2026-01080", 3450, "lost on its way", now - timedelta(days=45), is_favour=False)
    _given_back(db, "FC-2026-01160", 89900, "cancelled", now - timedelta(days=21), is_favour=False)
    _given_back(db, "FC-2026-01198", 500, "late on its way", now - timedelta(days=6), is_favour=True)


def clear(db: Db) -> None:
    """Empty the books: tests fill them anew for each of theirs."""
    for statement in EMPTY:
        db.execute(statement)


def _order(
    db: Db, number: str, ref: str, status: str, lines: tuple[Line, ...], placed: datetime, arrived: datetime | None
) -> None:
    total = sum(ARTICLES[sku][3] * quantity for sku, quantity in lines)
    paid = 0 if status == "pending" else total
    address = db.execute("SELECT shipping_address FROM customers WHERE ref = ?", [ref]).fetchone()[0]
    db.execute(
        """INSERT INTO orders (order_number, customer, status, total, paid, shipping_method, shipping_address,
                               placed_at, delivered_at) VALUES (?, ?, ?, ?, ?, 'standard', ?, ?, ?)""",
        [number, ref, status, total, paid, address, moment(placed), moment(arrived) if arrived else None],
    )
    for sku, quantity in lines:
        name, variant, category, price = ARTICLES[sku]
        db.execute(
            "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)", [number, sku, name, variant, category, quantity, price]
        )
    state = {"pending": "open", "cancelled": "refunded", "refunded": "refunded"}.get(status, "paid")
    db.execute(
        "INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [f"FI-{number[3:]}", number, f"Order {number}", total, state, moment(placed)],
    )


def _parcel(db: Db, number: str, status: str, placed: datetime, arrived: datetime | None, now: datetime) -> None:
    tracking = f"NB{number[-5:]}NO"
    left = None if status == "pending" else moment(placed + timedelta(days=1))
    expected = (placed + timedelta(days=6)).date().isoformat()
    db.execute(
        "INSERT INTO parcels VALUES (?, ?, 'Nordic Bike Freight', ?, ?, ?, ?)",
        [tracking, number, status, left, expected, moment(arrived) if arrived else None],
    )
    for days, location, description in SCANS[status]:
        at = moment((arrived or now) - timedelta(days=days))
        db.execute("INSERT INTO scans VALUES (?, ?, ?, ?)", [tracking, at, location, description])


def _came_back(db: Db, number: str, order: str, sku: str, quantity: int, amount: int, at: datetime) -> None:
    db.execute("INSERT INTO returns VALUES (?, ?, 'refunded', 0, 'did not fit', ?)", [number, order, moment(at)])
    db.execute("INSERT INTO return_items VALUES (?, ?, ?)", [number, sku, quantity])
    _given_back(db, order, amount, f"return {number}", at, is_favour=False)


def _given_back(db: Db, order: str, amount: int, reason: str, at: datetime, *, is_favour: bool) -> None:
    db.execute(
        "INSERT INTO refunds VALUES (?, ?, ?, 'paid', ?, ?, '', ?)",
        [f"{order}-R1", order, amount, reason, is_favour, moment(at)],
    )
