"""Whoever loses an account or a role is told at once: open sockets of theirs look again, and close if they must."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.signals import m2m_changed, post_save

from tickets.models import User
from tickets.publishing import publish


def listen() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    post_save.connect(user_saved, sender=User, dispatch_uid="user_saved")
    m2m_changed.connect(roles_changed, sender=User.groups.through, dispatch_uid="roles_changed")


def user_saved(instance: User, created: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Disabled, another password, another rank; the note of a sign-in changes nothing."""
    if not created and set(update_fields or ()) != {"last_login"}:
        _look_again([instance.pk])


def roles_changed(instance: User | Group, action: str, pk_set: set[UUID] | None, **_: Any) -> None:
    """A user's groups, or from the other side a group's users, became others."""
    if action.startswith("post_"):
        _look_again([instance.pk] if isinstance(instance, User) else pk_set or ())


def _look_again(user_ids: Iterable[UUID]) -> None:
    frames = [(f"user.{user_id.hex}", {"type": "session.ended"}) for user_id in user_ids]
    transaction.on_commit(lambda: publish(frames))
