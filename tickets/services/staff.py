"""Members of staff who come from the company's own directory: made at their first sign-in, with its roles."""

from __future__ import annotations

from collections.abc import Set

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import Q

from tickets.access import STAFF_ROLES
from tickets.models import Role, StaffProfile, User
from tickets.services.audit import audit

ADMINS_LOCK = 7_261_018  # taken by whoever changes roles by directory: two last admins do not go at once


@transaction.atomic
def staff_create(*, email: str, first_name: str, last_name: str) -> User:
    """A member of staff without roles and without a password."""
    name, number = email[:150], 1
    while User.objects.filter(username=name).exists():
        number += 1
        name = f"{email[:140]}-{number}"
    user = User.objects.create_user(name, email, first_name=first_name, last_name=last_name, is_staff=True)
    StaffProfile.objects.create(user=user, display_name=(first_name or email.partition("@")[0])[:80])
    audit(actor=None, action="staff.add", obj=user, changes={"email": ("", email)})
    return user


@transaction.atomic
def staff_roles_set(*, user: User, roles: Set[Role]) -> frozenset[str]:
    """Give exactly these roles, except that the last admin stays one; the roles somebody has then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADMINS_LOCK])
    wanted, had = {role.value for role in roles}, set(user.groups.values_list("name", flat=True)) & STAFF_ROLES
    if Role.ADMIN.value in had - wanted and not _other_admins(user):
        wanted.add(Role.ADMIN.value)
    if wanted != had:
        user.groups.remove(*Group.objects.filter(name__in=had - wanted))
        user.groups.add(*Group.objects.filter(name__in=wanted - had))
        before, after = ", ".join(sorted(had)), ", ".join(sorted(wanted))
        audit(actor=None, action="staff.roles", obj=user, changes={"roles": (before, after)})
    return frozenset(wanted)


def _other_admins(user: User) -> bool:
    is_admin = Q(groups__name=Role.ADMIN.value) | Q(is_superuser=True)
    return User.objects.filter(is_admin, is_active=True, is_staff=True).exclude(pk=user.pk).exists()
