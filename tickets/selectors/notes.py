"""Reads of notes and of who was named in them."""

from __future__ import annotations

from tickets.models import Mention, User


def mentions_unread(user: User, *, limit: int = 20) -> list[Mention]:
    """Where colleagues wait for this person's word, newest first; one query."""
    unread = Mention.objects.filter(user=user, read_at=None)
    return list(unread.select_related("note__conversation", "note__author__staff_profile")[:limit])
