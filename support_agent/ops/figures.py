"""The large figures of the ops page: a value in words, and how it moved against the span before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from support_agent.ops.selectors.pulse import Pulse
from support_agent.templatetags.desk import count, share, usd
from support_agent.templatetags.desk import span as took

NONE = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """`change` is '' when there is nothing before; `mood` is good, bad or '' where more is neither. `part` is the
    section of the page that tells more."""

    label: str
    value: str
    change: str
    mood: str
    note: str
    part: str = "volume"


def figures(now: Pulse, before: Pulse) -> list[Figure]:
    """Volume, how it came out, cost, speed, quality: eight at a glance."""
    words = "" if now.median_words is None else f", {now.median_words} words at the median"
    p50 = now.answer_ms(0.5)
    return [
        Figure("Conversations", count(now.conversations), moved(now.conversations, before.conversations), "",
               f"begun; {many(now.turns, 'turn')}"),
        _share("Resolved alone", now.alone_share, before.alone_share, better=1, part="outcome",
               note=f"without a person, of {many(now.resolutions, 'resolution')}"),
        _share("Escalating", now.escalation_share, before.escalation_share, better=-1, part="outcome",
               note=f"{count(now.escalated)} of {count(now.conversations)}, unasked"),
        _rating(now, before),
        Figure("Cost", usd(now.cost_usd), moved(now.cost_usd, before.cost_usd), "",
               _each(now), "cost"),
        _slower("Answer, 95th percentile", now.answer_ms(0.95), before.answer_ms(0.95),
                f"median {took(p50)}" if p50 is not None else "no answer yet"),
        _share("Accepted", now.acceptance, before.acceptance, better=1, part="speed",
               note=f"of {many(now.judged, 'verdict')}{words}"),
        _share("From the cache", now.cache_share, before.cache_share, better=1, part="cost",
               note=f"of {count(now.prompt_tokens)} prompt tokens"),
    ]  # fmt: skip


def _each(now: Pulse) -> str:
    """What a conversation and a resolution cost, as far as there are any."""
    parts = ((now.conversations, "conversation"), (now.resolutions, "resolution"))
    return ", ".join(f"{usd(now.cost_usd / number)} a {noun}" for number, noun in parts if number) or "no conversation"


def moved(now: Decimal | float, before: Decimal | float) -> str:
    """+50%; '' when there is nothing to compare with."""
    return minus(f"{float(now) / float(before) - 1:+.0%}") if before else ""


def many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def minus(text: str) -> str:
    return text.replace("-", "−")


def _share(label: str, now: float | None, before: float | None, *, better: int, note: str, part: str) -> Figure:
    """Shares move by points; `better` is 1 where more is good, -1 where less is."""
    if now is None or before is None:
        return Figure(label, share(now), "", "", note, part)
    points = round((now - before) * 100, 1)
    mood = "" if not points else "good" if points * better > 0 else "bad"
    return Figure(label, share(now), minus(f"{points:+.1f} points") if points else "as before", mood, note, part)


def _rating(now: Pulse, before: Pulse) -> Figure:
    note = f"of 5, {many(sum(now.ratings.values()), 'survey')}"
    if now.rating is None or before.rating is None:
        return Figure("Satisfaction", NONE if now.rating is None else f"{now.rating:.2f}", "", "", note, "outcome")
    by = round(now.rating - before.rating, 2)
    mood = "" if not by else "good" if by > 0 else "bad"
    return Figure(
        "Satisfaction", f"{now.rating:.2f}", minus(f"{by:+.2f}") if by else "as before", mood, note, "outcome"
    )


def _slower(label: str, now: int | None, before: int | None, note: str) -> Figure:
    if now is None or not before:
        return Figure(label, took(now), "", "", note, "speed")
    mood = "bad" if now > before * 1.1 else "good" if now < before * 0.9 else ""
    return Figure(label, took(now), moved(now, before), mood, note, "speed")
