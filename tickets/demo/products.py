"""What Alder & Pine sells: the catalogue's entries as products."""

from __future__ import annotations

from decimal import Decimal

from tickets.demo.content import content
from tickets.demo.world import World
from tickets.models import Product


def seed_products(world: World) -> dict[str, Product]:
    """Every variant, by SKU."""
    return {
        entry["sku"]: world.add(
            Product,
            world.ago(days=900),
            sku=entry["sku"],
            name=entry["name"],
            variant=entry["variant"],
            category=entry["category"],
            price=Decimal(entry["price"]),
        )
        for entry in content("catalogue")
    }
