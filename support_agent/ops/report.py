"""The large figures of the report: each in words, beside the span before."""

from __future__ import annotations

from support_agent.ops.figures import Figure
from tickets.selectors.report import Report

NONE, MINUS = "–", "−"


def headline(now: Report, before: Report, *, mine: bool = False) -> list[Figure]:
    """Handled, first reply, in time, satisfaction, resolved, reopened: six at a glance; `mine` is one person's own."""
    total, past = now.total, before.total
    resolved = now.with_person.resolved + now.alone.resolved
    resolved_before = before.with_person.resolved + before.alone.resolved
    confirmed = now.with_person.confirmed + now.alone.confirmed
    nine = f"9 of 10 within {duration(total.first_reply_p90)}"
    waiting = "" if mine else f", {now.waiting} still wait" if now.waiting else ", nobody waits"
    who = "Handled by you" if mine else "Handled by people"
    return [
        Figure(who, f"{total.handled:,}", _relative(total.handled, past.handled), "",
               f"{_many(total.handled, 'conversation')}{waiting}"),
        Figure("First reply, median", duration(total.first_reply), _times(total.first_reply, past.first_reply),
               _mood(total.first_reply, past.first_reply, better=-1), nine),
        Figure("Replied in time", NONE if total.sla is None else f"{total.sla:.0%}", _points(total.sla, past.sla),
               _mood(total.sla, past.sla, better=1), f"of {_many(total.sla_of, 'escalation')}"),
        Figure("Satisfaction", NONE if total.csat is None else f"{total.csat:.1f}", _stars(total.csat, past.csat),
               _mood(total.csat, past.csat, better=1), f"of 5, {_many(total.ratings, 'rating')}"),
        Figure("Resolved", f"{resolved:,}", _relative(resolved, resolved_before), "",
               f"{confirmed:,} confirmed, {resolved - confirmed:,} assumed"),
        Figure("Reopened", f"{total.reopened:,}", _relative(total.reopened, past.reopened),
               _mood(total.reopened, past.reopened, better=-1), "within 72 hours"),
    ]  # fmt: skip


def duration(seconds: float | None) -> str:
    """45 s, 12 min, 3 h 5 min, 2 d 4 h; a dash for nothing."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def duration_minutes(seconds: float | None) -> float | str:
    """For a spreadsheet: minutes to a tenth, or an empty cell."""
    return "" if seconds is None else round(seconds / 60, 1)


def _relative(now: int, before: int) -> str:
    return _signed(f"{now / before - 1:+.0%}") if before and now != before else "as before" if before else ""


def _times(now: float | None, before: float | None) -> str:
    if now is None or before is None:
        return ""
    moved = now - before
    if abs(moved) < 1:
        return "as before"
    return f"{'+' if moved > 0 else MINUS}{duration(abs(moved))}"


def _points(now: float | None, before: float | None) -> str:
    if now is None or before is None:
        return ""
    moved = round((now - before) * 100)
    return _signed(f"{moved:+d} points") if moved else "as before"


def _stars(now: float | None, before: float | None) -> str:
    if now is None or before is None:
        return ""
    moved = round(now - before, 1)
    return _signed(f"{moved:+.1f}") if moved else "as before"


def _mood(now: float | None, before: float | None, *, better: int) -> str:
    if now is None or before is None or now == before:
        return ""
    return "good" if (now - before) * better > 0 else "bad"


def _signed(text: str) -> str:
    return text.replace("-", MINUS)


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
