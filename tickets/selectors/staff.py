"""Reads of the people who answer: their names, and whom a note can name."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from tickets.access import STAFF_ROLES
from tickets.models import User


def staff_name(user: User | None) -> str:
    """The name customers and colleagues see."""
    if user is None:
        return "Our team"
    profile = getattr(user, "staff_profile", None)
    return (profile.display_name if profile else "") or user.get_full_name() or user.get_username()


def colleagues() -> QuerySet[User]:
    """Everybody with a role at the desk, by username."""
    has_role = Q(is_superuser=True) | Q(groups__name__in=STAFF_ROLES)
    found = User.objects.filter(has_role, is_active=True, is_staff=True)
    return found.select_related("staff_profile").distinct().order_by("username")


def colleagues_like(words: str, *, limit: int = 8) -> list[User]:
    """Colleagues whose username or name begins with these letters."""
    begins = Q(username__istartswith=words) | Q(first_name__istartswith=words) | Q(last_name__istartswith=words)
    begins |= Q(staff_profile__display_name__istartswith=words)
    return list(colleagues().filter(begins)[:limit])


def colleagues_named(usernames: Iterable[str]) -> list[User]:
    """Those with exactly these usernames, in any case."""
    wanted = {name.lower() for name in usernames}
    return list(colleagues().alias(lowered=Lower("username")).filter(lowered__in=wanted)) if wanted else []
