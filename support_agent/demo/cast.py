"""Who can sign in to the demo, and with what: read back from the database, so that it stays true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from support_agent.models import ApiKey
from tickets.demo.people import CAST, STAFF, password_of
from tickets.models import Customer, User

Json = dict[str, Any]
KEY_OWNER = "ops"


def demo_api_key() -> str:
    """The raw key of the demo's staff API: derived from SECRET_KEY, so that it can be shown again but not guessed."""
    return "sk-staff-demo-" + salted_hmac("support_agent.demo.api_key", "tasks", secret=settings.SECRET_KEY).hexdigest()


def seed_api_key(owner: User) -> ApiKey:
    """The key's row, hashed as every other; kept when it is there."""
    key, _ = ApiKey.objects.get_or_create(
        key_hash=ApiKey.hash(demo_api_key()), defaults={"user": owner, "name": "Demo key for /api/v1/tasks"}
    )
    return key


def the_cast() -> Json:
    """The contract's JSON of `seed_demo --json`; orders newest first, amounts as strings."""
    emails = [member.email for member in CAST]
    customers = {
        customer.email: customer
        for customer in Customer.objects.filter(email__in=emails, user__isnull=False)
        .select_related("user")
        .prefetch_related("orders__lines")
    }
    users = {user.username: user for user in User.objects.filter(username__in=[person.username for person in STAFF])}
    return {
        "customers": [_customer(customers[email]) for email in emails if email in customers],
        "staff": [
            {"username": person.username, "password": password_of(users[person.username]), "role": person.role.value}
            for person in STAFF
            if person.username in users
        ],
        "api_key": demo_api_key(),
    }


def _customer(customer: Customer) -> Json:
    assert customer.user is not None
    return {
        "email": customer.email,
        "password": password_of(customer.user),
        "name": customer.name,
        "plan": customer.plan,
        "orders": [
            {
                "order_number": order.order_number,
                "status": order.status,
                "total": str(order.total),
                "skus": [line.sku for line in order.lines.all()],
            }
            for order in customer.orders.all()
        ],
    }


def print_cast(cast: Json, say: Callable[[str], object], *, made: bool) -> None:
    """The same for people."""
    say("The demo shop is ready." if made else "The demo shop is already there; nothing was changed.")
    for customer in cast["customers"]:
        orders = ", ".join(f"{order['order_number']} {order['status']}" for order in customer["orders"])
        say(f"  {customer['email']:<34}{customer['password']:<22}{customer['plan']:<12}{orders}")
    for person in cast["staff"]:
        say(f"  {person['username']:<34}{person['password']:<22}{person['role']}")
