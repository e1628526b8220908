"""Where staff are signed in: what they see of it, and how a session ends; its sockets close by themselves."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from tickets.models import User
from tickets.services.audit import audit

SEEN_EVERY_S = 300.0
MOST_SEEN = 5000
_seen: dict[str, float] = {}

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
DEVICES = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
           ("Macintosh", "Mac"), ("Linux", "Linux"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A session that stands, in words."""

    id: int
    device: str
    address: str
    since: datetime
    seen_at: datetime
    is_this: bool


def places(user: User, this_key: str = "") -> list[Place]:
    """Where somebody is signed in, the session that asks first, then by when it was used last."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at"))
    sessions = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now())
    mark = user.get_session_auth_hash()  # another since a new password: such sessions open nothing
    standing = {one.session_key for one in sessions if one.get_decoded().get(HASH_SESSION_KEY) == mark}
    found = [
        Place(row.pk, device_of(row.user_agent), row.ip, row.created_at, row.last_seen_at, row.session_key == this_key)
        for row in rows
        if row.session_key in standing
    ]
    return sorted(found, key=lambda place: not place.is_this)


@transaction.atomic
def session_end(*, user: User, session_id: int, actor: User) -> bool:
    """End one session of `user`; whether there was one."""
    row = UserSession.objects.filter(user=user, pk=session_id).first()
    if row is None:
        return False
    audit(actor=actor, action="session.end", obj=user, changes={"session": (device_of(row.user_agent), None)})
    row.end()
    return True


@transaction.atomic
def sessions_end(*, user: User, actor: User | None, but_key: str = "") -> int:
    """End every session of `user` but the one with this key; how many."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=but_key))
    for row in rows:
        row.end()
    if rows:
        audit(actor=actor, action="session.end_all", obj=user, changes={"sessions": (len(rows), 0)})
    return len(rows)


def session_renewed(*, old_key: str, new_key: str) -> None:
    """A session got a new key: it stays the same place, unless a sign-in has noted a new one."""
    if not UserSession.objects.filter(session_key=new_key).exists():
        UserSession.objects.filter(session_key=old_key).update(session_key=new_key)


def seen(session_key: str) -> None:
    """Note that a session is in use: one write in five minutes."""
    now = time.monotonic()
    if now - _seen.get(session_key, -SEEN_EVERY_S) < SEEN_EVERY_S:
        return
    if len(_seen) >= MOST_SEEN:
        _seen.clear()
    _seen[session_key] = now
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=timezone.now())


def device_of(user_agent: str) -> str:
    """'Firefox on Windows', from what the browser says of itself."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    device = next((name for mark, name in DEVICES if mark in user_agent), "")
    if browser and device:
        return f"{browser} on {device}"
    return browser or device or re.sub(r"[^\w./ -]", "", user_agent)[:40] or "An unknown browser"
