"""The panels of the dashboards: what a span's readings say, as charts in sections; each bar leads to its traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from support_agent.env import env
from support_agent.ops.charts import PITCH, Bar, Columns, Line, Lines, Point, Ranked, columns, line_path, ranked
from support_agent.ops.figures import many, moved
from support_agent.ops.selectors.filters import ANY_REASON
from support_agent.ops.selectors.pulse import Readings
from support_agent.ops.spans import Span, Unit
from support_agent.runtime.buckets import percentile
from support_agent.templatetags.desk import count, share, usd, words
from support_agent.templatetags.desk import span as took
from tickets.models import EscalationReason

TIERS = {env.agent_model_large: "large", env.agent_model_medium: "medium", env.agent_model_small: "small"}
Panel = Columns | Ranked | Lines
Json = dict[str, Any]
RESOLVED = {
    "confirmed": "By the assistant, confirmed",
    "assumed": "By the assistant, assumed",
    "confirmed+person": "With a person, confirmed",
    "assumed+person": "With a person, assumed",
}
FORMATS = {
    Unit.MINUTES: "%H:%M",
    Unit.HOUR: "%a %-d %b, %H:%M",
    Unit.DAY: "%a %-d %b",
    Unit.WEEK: "week of %-d %b",
}


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: str
    panels: list[Panel]


def sections(found: Readings) -> list[Section]:
    """Volume, outcome, cost; speed and tools have tables of their own beside theirs."""
    return [
        Section("volume", "Volume", _volume(found)),
        Section("outcome", "How it came out", _outcome(found)),
        Section("cost", "Cost", _cost(found)),
        Section("speed", "Speed and quality", _speed(found)),
    ]


def traces(span: Span, start: datetime | None = None, /, **filters: str) -> str:
    """The trace list of what happened within the span, or within its one bar that begins at `start`."""
    given = f"{urlencode(filters)}&" if filters else ""
    return f"{reverse('traces')}?{given}{_stretch(span, start)}"


@lru_cache(maxsize=512)  # every chart of a page has the same bars
def _stretch(span: Span, start: datetime | None) -> str:
    until = span.end if start is None else min(start + timedelta(seconds=span.unit.seconds), span.end)
    return urlencode({"since": _iso(start or span.start), "until": _iso(until)})


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}Z" if not moment.second else f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def _records(model: str, field: str, span: Span, **filters: str) -> str:
    times = {f"{field}__gte": span.start.isoformat(), f"{field}__lt": span.end.isoformat()}
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(filters | times)}"


def _over_time(
    found: Readings, title: str, numbers: dict[int, int] | dict[int, Decimal], *, total: str, change: str = "",
    note: str = "", money: bool = False, **filters: str,
) -> Columns:  # fmt: skip
    span = found.span
    points = []
    for number, start in enumerate(span.bars):
        value = numbers.get(number, 0)
        href = traces(span, start, **filters) if value else ""
        points.append(Point(label_of(span, start), float(value), usd(value) if money else count(int(value)), href))
    is_running = span.bars[-1] + timedelta(seconds=span.unit.seconds) > span.end
    return columns(title, points, total=total, change=change, note=note, noun=span.unit.noun, is_running=is_running)


@lru_cache(maxsize=512)
def label_of(span: Span, start: datetime) -> str:
    return start.strftime(FORMATS[span.unit])


def _volume(found: Readings) -> list[Panel]:
    now, before = found.now, found.before
    failed = f"{many(now.failed_turns, 'turn')} failed" if now.failed_turns else "none failed"
    return [
        _over_time(found, "Conversations begun", dict(found.conversations), total=count(now.conversations),
                   change=moved(now.conversations, before.conversations)),
        _over_time(found, "Turns", dict(found.turns), total=count(now.turns), change=moved(now.turns, before.turns),
                   note=failed),
        _steps(found),
        _clock(found),
        ranked("Topics", _by_turns(found, found.topics, "topic"), empty="No topic yet."),
        ranked("Turns by path", _by_turns(found, found.paths, "path"), empty="No turn yet."),
    ]  # fmt: skip


def _steps(found: Readings) -> Columns:
    """Turns by number of steps; a bar leads to those with so many or more."""
    each, was = found.now.steps_each, found.before.steps_each
    points = []
    for number in range(1, 27):
        label = f"{number}{' or more' if number == 26 else ''} step{'s' * (number != 1)}"
        href = traces(found.span, min_steps=str(number)) if found.steps[number] else ""
        points.append(Point(label, found.steps[number], many(found.steps[number], "turn"), href))
    return columns(
        "Steps per turn",
        points,
        total="–" if each is None else f"{each:.1f}",
        change=moved(each, was) if each and was else "",
        noun="steps",
        note="on average; below, turns by number of steps",
    )


def _clock(found: Readings) -> Columns:
    turns = {hour: int(row["number"]) for hour, row in found.clock.items()}
    points = []
    for hour in range(24):
        value = f"{many(turns.get(hour, 0), 'turn')}, {usd(found.clock.get(hour, {}).get('cost_usd', 0))}"
        points.append(Point(f"{hour}:00 to {hour + 1}:00", turns.get(hour, 0), value))
    busiest = max(turns, key=lambda hour: turns[hour], default=None)
    return columns("By hour of the day", points, total="–" if busiest is None else f"{busiest}:00", noun="hour, UTC",
                   note="UTC; the busiest hour, turns and what they cost")  # fmt: skip


def _by_turns(found: Readings, rows: dict[str, Json], parameter: str) -> list[tuple[Bar, float]]:
    """A bar each, by its share of the turns."""
    bars = []
    for name, row in rows.items():
        number = int(row["turns"])
        cells = (many(number, "turn"), f"{usd(row['cost_usd'] / number)} each")
        href = traces(found.span, **{parameter: name})
        label = name.capitalize() if parameter == "path" else name
        bars.append((Bar(label, share(number / found.now.turns), 0, href, cells), float(number)))
    return bars


def _outcome(found: Readings) -> list[Panel]:
    now, before = found.now, found.before
    return [
        _over_time(found, "Resolutions", dict(found.resolutions), total=count(now.resolutions), status="closed",
                   change=moved(now.resolutions, before.resolutions)),
        _over_time(found, "Escalations", dict(found.escalations), total=count(sum(found.reasons.values())),
                   reason=ANY_REASON),
        _ratings(found),
        _resolved(found),
        _reasons(found),
    ]  # fmt: skip


def _ratings(found: Readings) -> Columns:
    now, points = found.now, []
    for rating in range(1, 6):
        number = now.ratings[rating]
        href = _records("tickets_survey", "answered_at", found.span, rating__exact=str(rating)) if number else ""
        points.append(Point(f"{rating} of 5", number, many(number, "survey"), href))
    total = "–" if now.rating is None else f"{now.rating:.2f}"
    note = f"of 5, on average of {many(sum(now.ratings.values()), 'survey')}"
    return columns("Satisfaction", points, total=total, noun="rating", note=note)


def _resolved(found: Readings) -> Ranked:
    now, bars = found.now, []
    for kind, label in RESOLVED.items() if now.resolutions else ():
        filters = {"kind__exact": kind.partition("+")[0], "staff__isnull": str("+" not in kind)}
        href = _records("tickets_resolution", "at", found.span, revoked_at__isnull="True", **filters)
        part = share(now.resolved[kind] / now.resolutions)
        bars.append((Bar(label, part, 0, href, (count(now.resolved[kind]),)), float(now.resolved[kind])))
    note = f"{count(now.revoked)} more reopened within 72 hours, and not counted" if now.revoked else ""
    return ranked("Resolved", bars, empty="No conversation was resolved.", note=note)


def _reasons(found: Readings) -> Ranked:
    total, bars = sum(found.reasons.values()), []
    for reason, number in found.reasons.items():
        label, href = str(EscalationReason(reason).label), traces(found.span, reason=reason)
        bars.append((Bar(label, share(number / total), 0, href, (count(number),)), float(number)))
    return ranked("Why to a person", bars, empty="Nobody was handed to a person.", most=10)


def _cost(found: Readings) -> list[Panel]:
    now = found.now
    return [
        _over_time(found, "Cost", found.costs, total=usd(now.cost_usd), money=True,
                   change=moved(now.cost_usd, found.before.cost_usd)),
        ranked("By model", [_costly(found, "model", model, row, many(int(row["steps"]), "call"))
                            for model, row in found.models.items()], empty="No model was called."),
        ranked("By surface", [_costly(found, "surface", surface, row, many(int(row.get("turns", 0)), "turn"))
                              for surface, row in found.surfaces.items()], empty="No turn yet."),
        ranked("By tool", [_costly(found, "tool", tool, row, many(int(row["number"]), "call"))
                           for tool, row in found.asked.items()], empty="No tool was asked for.", of_all=False,
               note="the model calls that asked for it, shared out"),
        ranked("Dearest customers", [
            (Bar(row["name"], usd(row["cost_usd"]), 0, traces(found.span, q=row["email"]),
                 (many(int(row["turns"]), "turn"),)), float(row["cost_usd"])) for row in found.customers
        ], empty="No known customer yet.", of_all=False),
    ]  # fmt: skip


def _costly(found: Readings, parameter: str, name: str, row: Json, number: str) -> tuple[Bar, float]:
    """A bar by cost: its share of all that was spent, how many, and how much."""
    cost = row.get("cost_usd", Decimal(0))
    tier = TIERS.get(name, "") if parameter == "model" else ""
    label = tier.capitalize() or (words(name).capitalize() if parameter == "surface" else name)
    part = share(float(cost / found.now.cost_usd)) if found.now.cost_usd else "–"
    href = traces(found.span, **{parameter: name})
    return Bar(label, part, 0, href, (number, usd(cost)), name if tier else ""), float(cost)


def _speed(found: Readings) -> list[Panel]:
    rejected = sum((by_bar for verdict, by_bar in found.verdicts.items() if verdict != "ok"), Counter[int]())
    return [
        _answers(found),
        _over_time(found, "Answers the critic refused", dict(rejected), total=count(rejected.total()), kind="critic",
                   step_status="failed", note=f"{share(found.now.acceptance)} were accepted"),
        _cached(found),
    ]  # fmt: skip


def _answers(found: Readings) -> Lines:
    """Median and 95th percentile of the time to the finished answer, bar by bar."""
    span, by_bar = found.span, [found.answers.get(number) for number in range(len(found.span.bars))]
    series = [
        (name, style, [percentile(counts, of) if counts else None for counts in by_bar])
        for name, of, style in (("Median", 0.5, "solid"), ("95th percentile", 0.95, "dashed"))
    ]
    most = max((value for _, _, values in series for value in values if value is not None), default=0)
    return Lines(
        "Time to the finished answer",
        [label_of(span, start) for start in span.bars],
        [
            Line(name, line_path(values, most), [took(value) for value in values], style)
            for name, style, values in series
        ],
        took(most),
        len(by_bar) * PITCH,
        [traces(span, start) if by_bar[number] else "" for number, start in enumerate(span.bars)],
    )


def _cached(found: Readings) -> Lines:
    span = found.span
    shares = [found.cached.get(number) for number in range(len(span.bars))]
    line = Line("Of the prompt's tokens", line_path(shares, 1.0), [share(value) for value in shares], "solid")
    hrefs = [traces(span, start) if value is not None else "" for start, value in zip(span.bars, shares, strict=True)]
    labels = [label_of(span, start) for start in span.bars]
    return Lines("Read from the cache", labels, [line], "100%", len(shares) * PITCH, hrefs)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one thing took; `slow_href` leads to the turns beyond the 95th percentile."""

    name: str
    note: str
    number: int
    p50: int | None
    p95: int | None
    p99: int | None
    slow_href: str = ""


def timings(found: Readings) -> list[Timing]:
    """Whole answers and their first text, then each model's calls and first tokens, the most used first."""
    span = found.span
    rows = []
    for name, measure, parameter in (("Answer finished", "turn", "slower"), ("First text", "first_text", "first_text")):
        counts = found.now.spread[measure]
        p95 = percentile(counts, 0.95)
        href = traces(span, **{parameter: str(p95)}) if p95 else ""
        rows.append(_timing(name, "from the message on", counts, href))
    for model in sorted(found.models, key=lambda model: -found.models[model]["steps"]):
        name = TIERS.get(model, "").capitalize() or model
        rows.append(_timing(f"{name} model, a call", model if model in TIERS else "", found.took["model", model]))
        rows.append(_timing(f"{name} model, first token", "", found.took["first_token", model]))
    return rows


def _timing(name: str, note: str, counts: Mapping[int, int], href: str = "") -> Timing:
    p50, p95, p99 = (percentile(counts, of) for of in (0.5, 0.95, 0.99))
    return Timing(name, note, sum(counts.values()), p50, p95, p99, href)
