"""Which orders there are: the telling ones of the cast, and enough of everybody else's to fill the lists."""

from __future__ import annotations

from tickets.demo.content import content
from tickets.demo.orders import Basket, Wanted
from tickets.demo.world import World
from tickets.models import Customer, Plan, Product

ORDERS = 1500
# (days ago, fate, shipping method, SKUs)
CAST_ORDERS: dict[str, list[tuple[float, str, str, str]]] = {
    "maya.okafor@example.com": [
        (0.1, "pending", "standard", "LNT-500-BLK STV-SPK"),
        (3, "in_transit", "standard", "TNT-2P-GRN TNT-FP-2P"),
        (10, "delayed", "standard", "BPK-40-BLU-M"),
        (16, "delivered", "standard", "JKT-RDG-W-RST-S JKT-DRZ-GRN-M"),
        (75, "delivered", "standard", "TMW-2-BLU PWB-10K"),
    ],
    "jonas.lindqvist@example.com": [
        (0.8, "packed", "express", "LNT-200-GRN PWB-20K"),
        (5, "split_half", "standard", "BTS-RDG-BLK-43 STV-NMD STV-GAS-230*3"),
        (12, "delivered", "standard", "TMW-2-BLK"),
        (34, "partly_returned", "standard", "JKT-EMB-BLK-M SLB-MDW-BLU"),
        (120, "delivered", "express", "BPK-65-RST-L"),
    ],
    "priya.raman@example.org": [
        (1.5, "packed", "standard", "TNT-4P-GRN*6 LNT-500-BLK*6"),
        (9, "delivered", "express", "BCN-1-RST*4"),
        (41, "delivered", "standard", "SLB-TMB-GRN*12 BPK-RC*12"),
        (95, "split_done", "standard", "STV-HTH*8 STV-GAS-450*24"),
    ],
    "tomas.herrera@example.com": [
        (21, "lost", "standard", "SOL-28 PWB-20K"),
        (58, "delivered", "standard", "BTS-CSC-BLU-42"),
    ],
    "claire.beaulieu@example.com": [
        (19, "delivered", "standard", "TNT-4P-RST"),
        (64, "returned", "standard", "BTS-CSC-GRN-39"),
        (150, "lost_refunded", "standard", "LNT-200-RST*2"),
    ],
    "ellen.whitfield@example.com": [(0.04, "paid", "standard", "BPK-22-GRN CAR-DWR-300")],
}


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
        world.pick(content("people")["order_notes"]),
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
