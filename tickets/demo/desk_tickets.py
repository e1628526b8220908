"""About 120 tickets with what staff wrote back, from tickets.yaml."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tickets.demo.content import content
from tickets.demo.people import STAFF
from tickets.demo.world import World
from tickets.models import Customer, Order, OrderLine, Shipment, Team, Ticket, TicketComment, User
from tickets.services.tickets import TEAM_OF

TIMES_TOLD = 3
OF_AN_ORDER = re.compile(r"\{(order_number|tracking|item|date|amount)\}")
OPEN = {Ticket.Status.OPEN, Ticket.Status.PENDING}


def seed_tickets(
    world: World,
    teams: Mapping[str, Team],
    staff: Mapping[str, User],
    customers: Sequence[Customer],
    orders: Sequence[Order],
) -> None:
    """Each written ticket three times, of different people; only its newest copy may still be open."""
    shop = _Shop(world, orders)
    drawn = []
    for entry in content("tickets"):
        for copy in range(TIMES_TOLD):
            is_open = entry["status"] in OPEN and copy == 0
            age = world.between(0.2, 9) if is_open else world.between(4, 170)
            drawn.append((age, entry, entry["status"] if is_open or entry["status"] not in OPEN else "solved"))
    drawn.sort(key=lambda one: -one[0])
    for number, (age, entry, status) in enumerate(drawn):
        order = shop.order_around(age) if OF_AN_ORDER.search(entry["subject"] + entry["body"]) else None
        customer = order.customer if order else world.pick(customers)
        _ticket(world, f"T-{41_200 + number}", age, entry, status, customer, shop.words(order, customer), teams, staff)


def _ticket(
    world: World,
    number: str,
    age: float,
    entry: Mapping[str, Any],
    status: str,
    customer: Customer,
    words: Mapping[str, str],
    teams: Mapping[str, Team],
    staff: Mapping[str, User],
) -> None:
    team = teams[TEAM_OF[entry["category"]]]
    assignee = staff["agent2" if team.slug == "billing" else "agent"] if "reply" in entry else None
    at = world.ago(days=age)
    ticket = world.add(
        Ticket,
        at,
        number=number,
        customer=customer,
        contact_email=customer.email,
        subject=entry["subject"].format(**words),
        body=entry["body"].format(**words),
        category=entry["category"],
        priority=entry["priority"],
        status=status,
        team=team,
        assignee=assignee,
    )
    if assignee is None:
        return
    if world.chance(0.4):
        note = world.pick(
            ("Looked at the account, nothing unusual.", "Asked the warehouse.", "Similar case last week.")
        )
        world.add(TicketComment, at + timedelta(hours=1), ticket=ticket, author=assignee, body=note)
    name = next(person.first for person in STAFF if person.username == assignee.username)
    reply = entry["reply"].format(**{**words, "staff": name})
    soon = min(at + timedelta(hours=world.between(2, 30)), world.ago(minutes=30))
    world.add(TicketComment, soon, ticket=ticket, author=assignee, body=reply, is_public=True)


class _Shop:
    """Orders to complain about, with the words that stand for them in a text."""

    def __init__(self, world: World, orders: Sequence[Order]) -> None:
        self.world = world
        self.orders = [order for order in orders if order.delivered_at]
        self.lines: dict[UUID, OrderLine] = {}
        self.parcels: dict[UUID, list[Shipment]] = defaultdict(list)
        for line in world.rows[OrderLine]:
            self.lines.setdefault(line.order_id, line)
        for parcel in world.rows[Shipment]:
            self.parcels[parcel.order_id].append(parcel)

    def order_around(self, age: float) -> Order:
        """One delivered shortly before a ticket of that age."""
        latest = self.world.ago(days=age)
        known = [order for order in self.orders if order.delivered_at and order.delivered_at < latest]
        return self.world.pick(sorted(known, key=lambda order: order.placed_at)[-40:])

    def words(self, order: Order | None, customer: Customer) -> dict[str, str]:
        found = {"first_name": customer.name.split()[0], "amount": "49.00", "date": "", "staff": ""}
        if order is not None:
            found |= {
                "order_number": order.order_number,
                "tracking": self.parcels[order.pk][0].tracking_number,
                "item": self.lines[order.pk].name,
                "amount": f"{order.total:.2f}",
                "date": f"{order.delivered_at:%-d %B}",
            }
        return found
