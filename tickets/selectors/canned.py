"""Reads of the ready answers: everybody's, and those of one's own team."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from tickets.models import CannedReply, User


def canned_of(staff: User) -> QuerySet[CannedReply]:
    """What this person may use, by shortcut."""
    profile = getattr(staff, "staff_profile", None)
    return CannedReply.objects.filter(Q(team=None) | Q(team=profile.team_id if profile else None))


def canned_like(staff: User, words: str, *, limit: int = 8) -> list[CannedReply]:
    """Those whose shortcut begins with the words first, then those with them in shortcut, title or text."""
    found = canned_of(staff)
    if words:
        has = Q(shortcut__icontains=words) | Q(title__icontains=words) | Q(text__icontains=words)
        first = Case(When(shortcut__istartswith=words, then=Value(0)), default=Value(1), output_field=IntegerField())
        found = found.filter(has).order_by(first, "shortcut")
    return list(found[:limit])
