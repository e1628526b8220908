"""What Alder & Pine sells, as one table: code, name, category, price, variants."""

from __future__ import annotations

from decimal import Decimal

from tickets.demo.world import World
from tickets.models import Product

COLOURS = {"GRN": "forest green", "BLU": "slate blue", "RST": "rust", "BLK": "black"}
SIZES = ("S", "M", "L", "XL")
BOOT_SIZES = ("38", "39", "40", "41", "42", "43", "44", "45")

# A variant is a colour code, a size, or both joined by '-'; '' is the only one there is.
CATALOGUE: list[tuple[str, str, str, str, tuple[str, ...]]] = [
    ("TNT-1P", "Alder 1 tent", "tents", "189.00", ("GRN", "RST")),
    ("TNT-2P", "Alder 2 tent", "tents", "249.00", ("GRN", "BLU", "RST")),
    ("TNT-4P", "Grove 4 tent", "tents", "399.00", ("GRN", "BLU")),
    ("TNT-S2", "Summit 2 tent", "tents", "549.00", ("RST",)),
    ("TNT-TRP", "Canopy tarp 3 × 3 m", "tents", "79.00", ("GRN", "BLK")),
    ("BPK-T22", "Trail 22 daypack", "backpacks", "89.00", ("GRN", "BLU", "RST", "BLK")),
    ("BPK-T40", "Trail 40 backpack", "backpacks", "159.00", ("GRN", "BLU", "BLK")),
    ("BPK-T65", "Trail 65 backpack", "backpacks", "229.00", ("BLU", "BLK")),
    ("BPK-TVL", "Transit 38 travel pack", "backpacks", "149.00", ("BLK", "RST")),
    ("BAG-0C", "Down sleeping bag 0 °C", "sleeping_bags", "219.00", ("BLU", "RST")),
    ("BAG-10C", "Summer sleeping bag 10 °C", "sleeping_bags", "99.00", ("GRN", "BLU")),
    ("BAG-PAD", "Drift sleeping pad", "sleeping_bags", "74.00", ("GRN", "BLK")),
    ("STV-GAS", "Kettle Creek gas stove", "stoves", "54.00", ("",)),
    ("STV-MLT", "Kettle Creek multi-fuel stove", "stoves", "129.00", ("",)),
    ("STV-POT", "Nesting pot set", "stoves", "48.00", ("",)),
    ("STV-FUEL", "Stove fuel canister 230 g", "stove_fuel", "8.50", ("",)),
    ("LNT-MIN", "Glow mini lantern", "lanterns", "24.00", ("GRN", "RST", "BLK")),
    ("LNT-CMP", "Glow camp lantern", "lanterns", "46.00", ("GRN", "BLK")),
    ("LNT-HED", "Beam 400 headlamp", "lanterns", "39.00", ("BLU", "BLK")),
    ("JKT-RDG", "Ridge Shell jacket", "jackets", "179.00", ("GRN-S", "GRN-M", "GRN-L", "BLU-M", "BLU-L", "BLK-XL")),
    ("JKT-EMB", "Ember Down jacket", "jackets", "239.00", ("RST-S", "RST-M", "BLK-M", "BLK-L")),
    ("JKT-FLC", "Fernway fleece", "jackets", "89.00", ("GRN-S", "GRN-M", "BLU-L", "RST-M")),
    ("BOT-MID", "Ridgeline mid boots", "boots", "169.00", BOOT_SIZES),
    ("BOT-LOW", "Ridgeline low shoes", "boots", "129.00", BOOT_SIZES),
    ("TRM-GPS", "Trailmate GPS watch", "electronics", "299.00", ("GRN", "BLU", "BLK")),
    ("TRM-STR", "Trailmate strap", "electronics", "19.00", ("GRN", "BLU", "BLK")),
    ("BCN-SAT", "Beacon satellite messenger", "electronics", "349.00", ("RST",)),
    ("PWR-10K", "Ember 10 power bank", "electronics", "45.00", ("BLK",)),
    ("PWR-20K", "Ember 20 power bank", "electronics", "69.00", ("BLK",)),
    ("SOL-21W", "Sun 21 solar panel", "electronics", "99.00", ("",)),
    ("SOL-28W", "Sun 28 solar panel", "electronics", "159.00", ("",)),
    ("GFT-050", "Gift card 50", "gift_cards", "50.00", ("",)),
    ("GFT-100", "Gift card 100", "gift_cards", "100.00", ("",)),
    ("PRS-MUG", "Engraved camp mug", "personalised", "22.00", ("",)),
]


def seed_products(world: World) -> dict[str, Product]:
    """Every variant, by SKU."""
    made = {}
    for code, name, category, price, variants in CATALOGUE:
        for variant in variants:
            sku = f"{code}-{variant}" if variant else code
            made[sku] = world.add(
                Product,
                world.ago(days=500),
                sku=sku,
                name=name,
                variant=variant_name(variant),
                category=category,
                price=Decimal(price),
            )
    return made


def variant_name(variant: str) -> str:
    """'BLU-L' is 'slate blue, size L'."""
    parts = [COLOURS.get(part) or f"size {part}" for part in variant.split("-") if part]
    return ", ".join(parts)
