"""The whole demo in one transaction: the desk's records, then the assistant's traces of past conversations."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from support_agent.demo.cast import KEY_OWNER, seed_api_key
from tickets.demo.people import CAST
from tickets.demo.seed import ORDER_OF_WRITING, seed_desk
from tickets.demo.world import World
from tickets.models import Customer


def seed_demo() -> bool:
    """Make the demo shop unless it is there; whether it was made. All of it or nothing."""
    if Customer.objects.filter(email=CAST[0].email).exists():
        return False
    with transaction.atomic():
        world = World(timezone.now())
        desk = seed_desk(world)
        world.save(ORDER_OF_WRITING)
        seed_api_key(desk.staff[KEY_OWNER])
    return True
