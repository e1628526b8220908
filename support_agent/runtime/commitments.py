"""Commitments with a time, found in words: "I'll write to you by Friday", "we will call you within two hours".

Deterministic, by the recogniser that the critic uses (agent/claims.py). Only what we say we ourselves will do for this
customer counts: neither rules of the shop, nor what a carrier will do, nor what hangs on something else; and only
the times by which that is done (deeds.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from support_agent.agent.claims import DATE, PERIOD, PROMISE, Claim
from support_agent.runtime.deeds import deeds, governed
from tickets import hours
from tickets.models import Conversation, Message, Promise
from tickets.services.promises import MAX_TEXT, promise_make, spoken

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_REPLY = re.compile(
    r"\b(?:colleagues?|person|someone|team)\b.*\b(?:answers?|repl(?:y|ies)|responds?|joins?|gets? back|takes? over)\b",
    re.IGNORECASE,
)
_WORKDAY = re.compile(r"\b(?:business|working)[ -]days?\b", re.IGNORECASE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOKED_BACK = timedelta(days=2)
FURTHEST = timedelta(days=92)  # nobody keeps a promise of next year in mind


@dataclass(frozen=True, slots=True)
class Commitment:
    """The sentence, when it is due, and whether it says that a person answers."""

    text: str
    due_at: datetime
    kind: str

    @property
    def due_field(self) -> str:
        """The time as a form's field takes it, in the shop's time."""
        return f"{self.due_at.astimezone(hours.zone()):%Y-%m-%dT%H:%M}"


def commitments(text: str, now: datetime) -> list[Commitment]:
    """What these words commit us to, each sentence at most once."""
    found = []
    for sentence in (part.strip() for part in _SENTENCE.split(re.sub(r"\s*\[\d{1,2}\]|\*\*", "", text))):
        claimed = [claim for deed in deeds(sentence) for claim in governed(deed)]
        times = [due for claim in claimed if (due := _due(claim, now)) and now < due <= now + FURTHEST]
        if times:
            kind = Promise.Kind.REPLY if _REPLY.search(sentence) else Promise.Kind.OTHER
            found.append(Commitment(sentence[:MAX_TEXT], max(times), kind))
    return found


def promise_said(*, conversation: Conversation, text: str, now: datetime) -> None:
    """Keep what the assistant's final words commit us to. That a person answers is promised by the escalation."""
    for found in commitments(text, now):
        if found.kind == Promise.Kind.OTHER:
            promise_make(conversation=conversation, text=found.text, due_at=found.due_at)


def suggested(conversation: Conversation, now: datetime) -> list[Commitment]:
    """What staff wrote here in the last two days that commits us and is no promise yet: for one click of theirs."""
    replies = conversation.messages.filter(role=Message.Role.STAFF, created_at__gt=now - LOOKED_BACK).order_by("seq")
    known = {spoken(text) for text in conversation.promises.values_list("text", flat=True)}
    found: dict[str, Commitment] = {}
    for text, said_at in replies.values_list("text", "created_at"):
        for commitment in commitments(text, said_at):
            if commitment.due_at > now and spoken(commitment.text) not in known:
                found.setdefault(spoken(commitment.text), commitment)
    return list(found.values())


def _due(claim: Claim, now: datetime) -> datetime | None:
    reader = _READERS.get(claim.kind)
    try:
        return reader(claim, now) if reader and claim.values else None
    except (OverflowError, ValueError):
        return None  # no time that a calendar has


def _after_period(claim: Claim, now: datetime) -> datetime | None:
    """'within 2-3 business days': the later end counts. Days end when the shop closes."""
    value, _, unit = claim.values[0].rpartition(" ")
    length = Decimal(value.partition("–")[2] or value)
    if unit != "s" or not 1 <= length <= FURTHEST.total_seconds():
        return None  # months and years are rules, not promises
    seconds = int(length)
    if _WORKDAY.search(claim.text):
        return hours.closing_after(now, seconds // 86_400)
    if seconds < 86_400:
        return now + timedelta(seconds=seconds)
    return _end_of((now.astimezone(hours.zone()) + timedelta(seconds=seconds)).date())


def _on_date(claim: Claim, now: datetime) -> datetime | None:
    """'2026-11-24', or '--11-24', which is the next such day."""
    value = claim.values[0].partition(" ")[0]
    today = now.astimezone(hours.zone()).date()
    try:
        if not value.startswith("--"):
            return _end_of(date.fromisoformat(value))
        this_year = date.fromisoformat(f"{today.year}{value[1:]}")
        return _end_of(this_year if this_year >= today else this_year.replace(year=today.year + 1))
    except ValueError:
        return None  # a month alone, or 29 February


def _at_named_time(claim: Claim, now: datetime) -> datetime | None:
    """'tomorrow', 'this afternoon', 'friday', 'next week'."""
    here, when = now.astimezone(hours.zone()), claim.values[0]
    if when in _DAYS:
        days = (_DAYS.index(when) - here.weekday()) % 7
        return _end_of(here.date() + timedelta(days=days or 7 * (now >= _end_of(here.date()))))
    if when in ("immediately", "instantly", "right away"):
        return None  # no time one could be late for
    if when == "within the hour":
        return now + timedelta(hours=1)
    if when.endswith("morning"):
        return datetime.combine(here.date(), time(12), hours.zone())
    if when.endswith(("week", "month")):
        return _end_of(_last_day(when, here.date()))
    later = when in ("tonight", "this evening") or now >= _end_of(here.date())
    if when == "tomorrow":
        return _end_of(here.date() + timedelta(days=1))
    return datetime.combine(here.date(), time(23, 59), hours.zone()) if later else _end_of(here.date())


def _last_day(when: str, today: date) -> date:
    """The last workday of this or the next week or month."""
    is_next = when.startswith("next")
    if when.endswith("week"):
        return today + timedelta(days=4 - today.weekday() + 7 * is_next)
    month = today.replace(day=1)
    for _ in range(1 + is_next):
        month = (month + timedelta(days=32)).replace(day=1)
    return month - timedelta(days=1)


def _end_of(day: date) -> datetime:
    return hours.closing_of(day)


_READERS: dict[str, Callable[[Claim, datetime], datetime | None]] = {
    PERIOD: _after_period,
    DATE: _on_date,
    PROMISE: _at_named_time,
}
