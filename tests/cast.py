"""The fixed cast: the people every behaviour is told with, and what belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import Group
from django.utils import timezone

from tickets.models import Availability, Customer, Order, OrderLine, Plan, Product, Role, StaffProfile, Team, User

PASSWORD = "correct-horse-7"


@dataclass(frozen=True, slots=True)
class Cast:
    """`owner` and `other` are customers with orders; `stranger` is signed in without a customer record."""

    owner: Customer
    other: Customer
    business: Customer
    stranger: User
    agent: User
    lead: User
    ops: User
    admin: User
    team: Team
    delivered: Order  # the owner's AP-100001: two lines, 180.00 paid, delivered five days ago
    paid: Order  # the owner's AP-100002: paid this hour, can be cancelled
    foreign: Order  # the other's AP-200001: delivered

    @property
    def owner_user(self) -> User:
        assert self.owner.user is not None
        return self.owner.user

    @property
    def other_user(self) -> User:
        assert self.other.user is not None
        return self.other.user


def make_cast() -> Cast:
    """Write the cast into the test's database."""
    team = Team.objects.filter(slug="billing").first() or Team.objects.create(slug="billing", name="Billing")
    owner = make_customer("olivia.owner@example.com", "Olivia Owner", Plan.FREE)
    other = make_customer("oscar.other@example.com", "Oscar Other", Plan.PLUS)
    return Cast(
        owner=owner,
        other=other,
        business=make_customer("bea.business@example.org", "Bea Business", Plan.ENTERPRISE),
        stranger=User.objects.create_user("stranger", "stranger@example.com", PASSWORD),
        agent=make_staff("agent", Role.AGENT, team),
        lead=make_staff("lead", Role.LEAD, team),
        ops=make_staff("ops", Role.OPS, None),
        admin=make_staff("admin", Role.ADMIN, None),
        team=team,
        delivered=make_order(owner, "AP-100001", Order.Status.DELIVERED, days_ago=9, delivered_days_ago=5),
        paid=make_order(owner, "AP-100002", Order.Status.PAID, days_ago=0),
        foreign=make_order(other, "AP-200001", Order.Status.DELIVERED, days_ago=12, delivered_days_ago=8),
    )


def make_customer(email: str, name: str, plan: str) -> Customer:
    """A customer who can sign in with PASSWORD."""
    user = User.objects.create_user(email, email, PASSWORD, first_name=name.split()[0], last_name=name.split()[-1])
    address = f"{name}\n12 Fir Street\nPortland, OR 97205"
    return Customer.objects.create(user=user, email=email, name=name, plan=plan, shipping_address=address)


def make_staff(username: str, role: Role, team: Team | None) -> User:
    """A member of staff in the group of the role; admins are superusers."""
    user = User.objects.create_user(username, f"{username}@alderandpine.example", PASSWORD, is_staff=True)
    user.is_superuser = role is Role.ADMIN
    user.save(update_fields=["is_superuser"])
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    StaffProfile.objects.create(
        user=user, team=team, display_name=username.title(), availability=Availability.AVAILABLE
    )
    return user


def make_order(
    customer: Customer, number: str, status: str, *, days_ago: int, delivered_days_ago: int | None = None
) -> Order:
    """A paid order of 180.00: a tent for 130.00 and two lanterns for 25.00."""
    now = timezone.now()
    order = Order.objects.create(
        order_number=number,
        customer=customer,
        status=status,
        total=Decimal("180.00"),
        paid_total=Decimal("180.00"),
        shipping_address=customer.shipping_address,
        placed_at=now - timedelta(days=days_ago),
        delivered_at=None if delivered_days_ago is None else now - timedelta(days=delivered_days_ago),
    )
    for sku, name, variant, quantity, price in (
        ("TNT-2P-GRN", "Two-person tent", "forest green", 1, "130.00"),
        ("LAN-01-BLK", "Lantern", "black", 2, "25.00"),
    ):
        product, _ = Product.objects.get_or_create(
            sku=sku, defaults={"name": name, "variant": variant, "category": "camping", "price": Decimal(price)}
        )
        OrderLine.objects.create(
            order=order,
            product=product,
            sku=sku,
            name=name,
            variant=variant,
            quantity=quantity,
            unit_price=Decimal(price),
        )
    return order
