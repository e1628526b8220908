"""A large desk for measuring: ninety days of conversations, turns and steps, made by PostgreSQL itself."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import Group
from django.db import connection

from tickets.models import Availability, Role, StaffProfile, Team, User

STATEMENTS = Path(__file__).with_name("fill.sql")
TEAMS = (("billing", "Billing"), ("engineering", "Engineering"), ("account-management", "Account management"))
STAFF = (("bench", Role.ADMIN), ("bench-agent", Role.AGENT))


def fill(conversations: int, steps: int) -> None:
    """Fill an empty, migrated database. Whoever looks at it is STAFF[0], an admin."""
    teams = [Team.objects.get_or_create(slug=slug, defaults={"name": name})[0] for slug, name in TEAMS]
    for name, role in STAFF:
        _staff(name, role, teams[0])
    with connection.cursor() as cursor:
        for statement in STATEMENTS.read_text().split("\n--\n"):
            cursor.execute(statement, {"conversations": conversations, "steps": steps})


def _staff(username: str, role: Role, team: Team) -> None:
    user = User.objects.create_user(username, f"{username}@example.com", is_staff=True, is_superuser=role is Role.ADMIN)
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    StaffProfile.objects.create(user=user, team=team, display_name=username, availability=Availability.AVAILABLE)
