"""`python -m tests.benchmarks.people 200`: customers, each with a shipped order and a conversation of their own.

Prints them as JSON: [{"conversation": id, "token": its bearer token, "order": number}].
"""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta
from decimal import Decimal
from itertools import count

import django
from django.db import transaction
from django.utils import timezone


def main() -> None:
    django.setup()
    sys.stdout.write(json.dumps(make_people(int(sys.argv[1]))))


def make_people(wanted: int) -> list[dict[str, str]]:
    """So many more of them, in one transaction."""
    from tickets.models import Customer, Order, OrderLine, Product, Shipment, ShipmentEvent
    from tickets.services.conversations import conversation_create

    now, made = timezone.now(), []
    with transaction.atomic():
        product, _ = Product.objects.get_or_create(
            sku="TNT-2P-GRN", defaults={"name": "Two-person tent", "category": "camping", "price": Decimal(130)}
        )
        numbers = count(300_000 + Order.objects.count())
        for _ in range(wanted):
            name = secrets.token_hex(6)
            customer = Customer.objects.create(email=f"{name}@example.com", name=f"Casey {name[:4]}", plan="plus")
            order = Order.objects.create(
                order_number=f"AP-{next(numbers)}",
                customer=customer,
                status=Order.Status.SHIPPED,
                total=Decimal(130),
                paid_total=Decimal(130),
                shipping_address="Casey\n12 Fir Street\nPortland, OR 97205",
                placed_at=now - timedelta(days=3),
            )
            line = OrderLine.objects.create(
                order=order, product=product, sku=product.sku, name=product.name, quantity=1, unit_price=Decimal(130)
            )
            parcel = Shipment.objects.create(
                order=order,
                tracking_number=f"TN{secrets.token_hex(8)}",
                carrier="Northway",
                status=Shipment.Status.IN_TRANSIT,
                shipped_at=now - timedelta(days=2),
                estimated_delivery=(now + timedelta(days=2)).date(),
            )
            parcel.lines.add(line)
            for hours, place in ((48, "Portland"), (30, "Boise"), (6, "Salt Lake City")):
                at = now - timedelta(hours=hours)
                ShipmentEvent.objects.create(shipment=parcel, at=at, location=place, description="Scanned")
            conversation, token = conversation_create(
                channel="chat", customer=customer, identity="widget", with_token=True
            )
            made.append({"conversation": str(conversation.pk), "token": token, "order": order.order_number})
    return made


if __name__ == "__main__":
    main()
