"""Which orders there are: the telling ones of the cast, and enough of everybody else's to fill the lists."""

from __future__ import annotations

from tickets.demo.orders import Basket, Wanted
from tickets.demo.world import World
from tickets.models import Customer, Plan, Product

ORDERS = 1500
# (days ago, fate, shipping method, SKUs)
CAST_ORDERS: dict[str, list[tuple[float, str, str, str]]] = {
    "maya.okafor@example.com": [
        (0.1, "pending", "standard", "LNT-CMP-GRN STV-POT"),
        (3, "in_transit", "standard", "TNT-2P-GRN BAG-PAD-GRN"),
        (10, "delayed", "standard", "BPK-T40-BLU"),
        (16, "delivered", "standard", "JKT-RDG-GRN-M JKT-FLC-RST-M"),
        (75, "delivered", "standard", "TRM-GPS-BLU TRM-STR-BLU"),
    ],
    "jonas.lindqvist@example.com": [
        (0.8, "packed", "express", "LNT-HED-BLK PWR-10K-BLK"),
        (5, "split_half", "standard", "BOT-MID-43 STV-MLT STV-FUEL*3"),
        (12, "delivered", "standard", "TRM-GPS-BLK"),
        (34, "partly_returned", "standard", "JKT-EMB-BLK-L BAG-10C-BLU"),
        (120, "delivered", "express", "BPK-T65-BLK"),
    ],
    "priya.raman@example.org": [
        (2, "packed", "standard", "TNT-4P-GRN*6 LNT-CMP-BLK*6"),
        (9, "delivered", "express", "BCN-SAT-RST*4"),
        (41, "delivered", "standard", "BAG-0C-BLU*12 BAG-PAD-BLK*12"),
        (95, "split_done", "standard", "STV-MLT*8 STV-FUEL*24"),
    ],
    "tomas.herrera@example.com": [
        (21, "lost", "standard", "SOL-28W PWR-20K-BLK"),
        (58, "delivered", "standard", "BOT-LOW-42"),
    ],
    "claire.beaulieu@example.com": [
        (19, "delivered", "standard", "TNT-4P-BLU"),
        (64, "returned", "standard", "BOT-MID-39"),
        (150, "lost_refunded", "standard", "LNT-MIN-RST*2"),
    ],
    "ellen.whitfield@example.com": [(0.04, "paid", "standard", "BPK-T22-RST PRS-MUG")],
}
NOTES = (
    *[""] * 6,
    "Please leave it with the neighbour at number 12.",
    "Gift, no prices in the box please.",
    "Doorbell is broken, please knock.",
    "Delivery after 5 pm if at all possible.",
)


def wanted_orders(
    world: World, cast: dict[str, Customer], others: list[Customer], products: dict[str, Product]
) -> list[Wanted]:
    """1,500 in all, the cast's included."""
    wanted = [
        Wanted(cast[email], _basket(skus, products), world.ago(days=days), fate, method)
        for email, orders in CAST_ORDERS.items()
        for days, fate, method, skus in orders
    ]
    shelf = list(products.values())
    buyers = others[:-4]  # some people have an account and never bought anything
    return wanted + [_anybody(world, buyers, shelf) for _ in range(ORDERS - len(wanted))]


def _basket(skus: str, products: dict[str, Product]) -> Basket:
    """'STV-MLT STV-FUEL*3' as products and counts."""
    parts = [entry.partition("*") for entry in skus.split()]
    return [(products[sku], int(count or 1)) for sku, _, count in parts]


def _anybody(world: World, buyers: list[Customer], shelf: list[Product]) -> Wanted:
    # Most orders are recent, as in a shop that grows; squaring an even chance does that.
    age = 0.2 + 420 * world.rng.random() ** 2.2
    # A few people buy much, most buy little.
    customer = buyers[int(len(buyers) * world.rng.random() ** 1.6)]
    size = world.weighted({1: 50, 2: 30, 3: 15, 4: 5})
    chosen = world.rng.sample(shelf, size)
    most = 8 if customer.plan == Plan.ENTERPRISE else 1
    basket = [(product, world.rng.randint(1, most) if world.chance(0.8) else 2) for product in chosen]
    return Wanted(
        customer,
        basket,
        world.ago(days=age),
        _fate(world, age, size),
        world.weighted({"standard": 80, "express": 20}),
        world.pick(NOTES),
    )


def _fate(world: World, age: float, size: int) -> str:
    """What can have become of an order that old."""
    if age < 1:
        return world.weighted({"pending": 12, "paid": 55, "packed": 25, "cancelled": 5, "cancelled_unpaid": 3})
    if age < 2:
        return world.weighted({"packed": 30, "in_transit": 66, "cancelled": 4})
    if age < 8:
        fates = {"in_transit": 55.0, "delivered": 40 if age > 5 else 0, "cancelled": 4, "delayed": 6 if age > 6 else 0}
        return world.weighted({**fates, "split_half": 12 if size > 1 and age > 4 else 0})
    if age < 22:
        return world.weighted({"delivered": 66, "returning": 6, "partly_returned": 4 if size > 1 else 0, "damaged": 3,
                               "goodwill": 4, "delayed": 8, "split_done": 5, "cancelled": 4,
                               "lost_reported": 3 if age > 14 else 0})  # fmt: skip
    return world.weighted({"delivered": 74, "partly_returned": 7 if size > 1 else 0, "returned": 6, "goodwill": 5,
                           "split_done": 7, "lost_refunded": 2.5, "cancelled": 4, "cancelled_unpaid": 1.5})  # fmt: skip
