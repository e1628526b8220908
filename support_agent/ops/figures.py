"""The large figures of the ops page: a value in words, and how it moved against the span before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from support_agent.ops.selectors.pulse import Pulse
from support_agent.templatetags.desk import count, usd

NONE = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """`change` is '' when there is nothing before; `mood` is good, bad or '' where more is neither."""

    label: str
    value: str
    change: str
    mood: str
    note: str


def figures(now: Pulse, before: Pulse) -> list[Figure]:
    """Turns, cost, escalations, acceptance, cache, length: six at a glance."""
    return [
        Figure("Turns", count(now.turns), _moved(now.turns, before.turns), "",
               f"in {_many(now.conversations, 'conversation')}"),
        Figure("Cost", usd(now.cost_usd), _moved(now.cost_usd, before.cost_usd), "", _each(now)),
        _share("Escalating", now.escalation_share, before.escalation_share, better=-1,
               note=f"{count(now.escalated)} of {count(now.conversations)}, unasked"),
        _share("Accepted", now.acceptance, before.acceptance, better=1, note=f"of {_many(now.judged, 'verdict')}"),
        _share("From the cache", now.cache_share, before.cache_share, better=1,
               note=f"of {count(now.prompt_tokens)} prompt tokens"),
        _words(now.median_words, before.median_words),
    ]  # fmt: skip


def _moved(now: Decimal | int, before: Decimal | int) -> str:
    return _minus(f"{float(now) / float(before) - 1:+.0%}") if before else ""


def _share(label: str, now: float | None, before: float | None, *, better: int, note: str) -> Figure:
    """Shares move by points; `better` is 1 where more is good, -1 where less is."""
    if now is None:
        return Figure(label, NONE, "", "", note)
    if before is None:
        return Figure(label, f"{now:.1%}", "", "", note)
    moved = round((now - before) * 100, 1)
    mood = "" if not moved else "good" if moved * better > 0 else "bad"
    return Figure(label, f"{now:.1%}", _minus(f"{moved:+.1f} points") if moved else "as before", mood, note)


def _words(now: float | None, before: float | None) -> Figure:
    if now is None:
        return Figure("Words, median", NONE, "", "", "of an accepted answer")
    moved = "" if before is None else _minus(f"{now - before:+.0f}")
    return Figure("Words, median", f"{now:.0f}", moved, "bad" if now > 100 else "", "of an accepted answer")


def _each(now: Pulse) -> str:
    return f"{usd(now.cost_usd / now.turns)} a turn" if now.turns else "no turn"


def _many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def _minus(text: str) -> str:
    return text.replace("-", "−")
