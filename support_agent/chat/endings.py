"""Whoever loses a session, an account or a role is told at once: open sockets look again, and close if they must.

A push that gets lost is made up for: chat/cursors.py and ops/live/rounds.py look again every few seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone

from support_agent.chat.visitors import SESSION_KEY
from tickets.models import Customer, User
from tickets.publishing import group_of, publish

STAFF_SESSION = timedelta(hours=12)
"""A working day: staff sign in again after it, however busy they are. Customers' last SESSION_COOKIE_AGE from use."""


def listen() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    user_logged_in.connect(signed_in, dispatch_uid="signed_in")
    post_delete.connect(session_deleted, sender=Session, dispatch_uid="session_deleted")
    post_save.connect(user_saved, sender=User, dispatch_uid="user_saved")
    post_save.connect(customer_saved, sender=Customer, dispatch_uid="customer_saved")
    m2m_changed.connect(roles_changed, sender=User.groups.through, dispatch_uid="roles_changed")


def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    if user.is_staff:
        request.session.set_expiry(timezone.now() + STAFF_SESSION)


def session_deleted(instance: Session, **_: Any) -> None:
    """Signed out, or signed in, which gives a new key: tabs that hold the old one are over either way."""
    data = instance.get_decoded()
    groups = [group_of(UUID(found)) for found in data.get(SESSION_KEY, [])]
    if USER_KEY in data:
        groups.append(f"user.{UUID(data[USER_KEY]).hex}")
    _tell(groups)


def user_saved(instance: User, created: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Disabled, another password, another rank; the note of a sign-in changes nothing."""
    if not created and set(update_fields or ()) != {"last_login"}:
        _look_again([instance.pk])


def customer_saved(instance: Customer, **_: Any) -> None:
    """A closed account is as good as a disabled one."""
    if instance.status == Customer.Status.CLOSED and instance.user_id is not None:
        _look_again([instance.user_id])


def roles_changed(instance: User | Group, action: str, pk_set: set[UUID] | None, **_: Any) -> None:
    """A user's groups, or from the other side a group's users, became others."""
    if action.startswith("post_"):
        _look_again([instance.pk] if isinstance(instance, User) else pk_set or ())


def _look_again(user_ids: Iterable[UUID]) -> None:
    _tell([f"user.{user_id.hex}" for user_id in user_ids])


def _tell(groups: list[str]) -> None:
    transaction.on_commit(lambda: publish([(group, {"type": "session.ended"}) for group in groups]))
