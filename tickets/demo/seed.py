"""The demo shop in one call: the desk's part. The assistant's traces are added by support_agent.demo."""

from __future__ import annotations

from dataclasses import dataclass

from tickets.demo.baskets import wanted_orders
from tickets.demo.desk_tickets import seed_tickets
from tickets.demo.orders import Wanted, seed_orders
from tickets.demo.people import seed_customers, seed_staff, seed_teams
from tickets.demo.products import seed_products
from tickets.demo.world import World
from tickets.models import (
    CannedReply,
    Customer,
    DeliveryProblem,
    Invoice,
    Order,
    OrderLine,
    Product,
    Refund,
    Return,
    ReturnLine,
    Shipment,
    ShipmentEvent,
    StaffProfile,
    Team,
    Ticket,
    TicketComment,
    User,
)

# Parents before children.
ORDER_OF_WRITING = (
    Team,
    User,
    User.groups.through,
    StaffProfile,
    CannedReply,
    Customer,
    Product,
    Order,
    OrderLine,
    Shipment,
    Shipment.lines.through,
    ShipmentEvent,
    Return,
    ReturnLine,
    Refund,
    DeliveryProblem,
    Invoice,
    Ticket,
    TicketComment,
)


@dataclass(frozen=True)
class Desk:
    """What the rest of the demo builds upon."""

    world: World
    teams: dict[str, Team]
    staff: dict[str, User]
    cast: dict[str, Customer]
    others: list[Customer]
    orders: list[Wanted]


def seed_desk(world: World) -> Desk:
    """Fill the world with the shop; nothing is written yet."""
    teams = seed_teams(world)
    staff = seed_staff(world, teams)
    cast, others = seed_customers(world)
    products = seed_products(world)
    orders = wanted_orders(world, cast, others, products)
    seed_orders(world, orders, staff["lead"])
    placed = [one.order for one in orders if one.order and one.customer not in set(cast.values())]
    seed_tickets(world, teams, staff, others, placed)
    return Desk(world, teams, staff, cast, others, orders)
