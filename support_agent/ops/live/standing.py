"""Whose sessions stand: signed in, not disabled, still staff, with which roles. For many sockets in three queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from support_agent.sign_in.standing import Standing, standing
from tickets.access import STAFF_ROLES
from tickets.models import User
from tickets.selectors.staff import staff_name


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in member of staff; without roles the desk is closed to them."""

    user: User
    name: str
    roles: frozenset[str]


def members_of(session_keys: Collection[str]) -> dict[str, Member]:
    """The members of staff behind these sessions; a key that is missing in the answer stands no more, or lacks its
    second factor."""
    claims = _claims(session_keys)
    people = User.objects.filter(pk__in={user_id for user_id, _ in claims.values()}, is_active=True, is_staff=True)
    groups = Prefetch("groups", Group.objects.only("name"))
    known = {user.pk: user for user in people.select_related("staff_profile").prefetch_related(groups)}
    found = {}
    for key, (user_id, password_mark) in claims.items():
        user = known.get(user_id)
        if user is not None and constant_time_compare(password_mark, user.get_session_auth_hash()):
            found[key] = Member(user, staff_name(user), _roles(user))
    return found


def _claims(session_keys: Collection[str]) -> dict[str, tuple[UUID, str]]:
    """Whom each session that opens the desk says it is, with the mark of the password it was made with."""
    claims = {}
    for session in Session.objects.filter(session_key__in=set(session_keys), expire_date__gt=timezone.now()):
        data = session.get_decoded()
        try:
            if standing(data) is Standing.PASSED:
                claims[session.session_key] = (UUID(data[SESSION_KEY]), str(data.get(HASH_SESSION_KEY, "")))
        except (KeyError, ValueError):
            continue  # nobody has signed in here
    return claims


def _roles(user: User) -> frozenset[str]:
    if user.is_superuser:
        return STAFF_ROLES
    return STAFF_ROLES & {group.name for group in user.groups.all()}
