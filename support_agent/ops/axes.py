"""The four axes as their page shows them: figures with intervals against goals, their change and their course."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from support_agent.intervals import Estimate, mean, ratio, weighted_share, wilson
from support_agent.ops.charts import PITCH, Line, Lines, line_path
from support_agent.ops.figures import NONE, many, minus
from support_agent.ops.panels import label_of, traces
from support_agent.ops.selectors.axes import Happened, Stretch
from support_agent.ops.selectors.evaluated import Evaluated
from support_agent.ops.selectors.spot_labels import Labelled
from support_agent.templatetags.desk import count, percent, share, usd

FEW = 30
"""Below so many cases nothing is told: an interval would be as wide as the scale."""
FEW_OF_A_BAR = 5
COMPLETION, ACCURACY, SATISFACTION, COST = 0.85, 0.95, 4.2, 0.15
VERDICTS = {"reached": "Goal reached", "missed": "Below the goal", "open": "Too close to the goal to say"}
Shown = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """How an axis is written, and whether more is better. `noun` is what its cases are."""

    noun: str
    goal: float
    shown: Shown
    moved: Shown
    is_more_better: bool = True
    top: float | None = None  # of its chart; None: as high as its values


@dataclass(frozen=True, slots=True)
class Figure:
    """`verdict` is reached, missed, open, or '' where too little is known; then `note` says how little."""

    label: str
    value: str
    note: str
    verdict: str = ""
    change: str = ""
    mood: str = ""

    @property
    def verdict_words(self) -> str:
        return VERDICTS.get(self.verdict, "")


@dataclass(frozen=True, slots=True)
class Axis:
    """`figures`: the first is the large one. `evaluated` is what the newest run came to, or why it has nothing."""

    name: str
    title: str
    goal: str
    definition: str
    figures: list[Figure]
    chart: Lines
    evaluated: str
    evaluated_verdict: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)


def axes(found: Happened, labels: Sequence[Labelled], run: Evaluated | None) -> list[Axis]:
    """`labels` are those of the span and of the one before it."""
    return [_completion(found, run), _accuracy(found, labels, run), _satisfaction(found), _cost(found, run)]


def figure(label: str, scale: Scale, now: Estimate | None, before: Estimate | None) -> Figure:
    """A value, told only when enough cases are behind it."""
    cases = now.cases if now else 0
    if now is None or cases < FEW:
        return Figure(label, NONE, f"{_many(cases, scale.noun)}: too few to say" if cases else f"no {scale.noun} yet")
    change, mood = "", ""
    if before is not None and before.cases >= FEW:
        by = now.value - before.value
        change = scale.moved(by)
        mood = "" if change == "as before" else "good" if (by > 0) == scale.is_more_better else "bad"
    note = f"{scale.shown(now.low)} to {scale.shown(now.high)}, from {_many(cases, scale.noun)}"
    return Figure(label, scale.shown(now.value), note, verdict(now, scale), change, mood)


def verdict(of: Estimate, scale: Scale) -> str:
    """Only an interval that lies on one side of the goal tells."""
    worst, best = (of.low, of.high) if scale.is_more_better else (-of.high, -of.low)
    goal = scale.goal if scale.is_more_better else -scale.goal
    return "reached" if worst >= goal else "missed" if best < goal else "open"


def right(labels: Sequence[Labelled]) -> Estimate | None:
    """The share of all answers that staff would call right: each judged one stands for 1 / chance."""
    return weighted_share((one.is_right, one.weight) for one in labels if one.is_told)


def _completion(found: Happened, run: Evaluated | None) -> Axis:
    scale = Scale("conversation", COMPLETION, share, _points, top=1.0)
    now, before = found.now, found.before
    shown = figure("Without a person", scale, wilson(now.alone, now.ended), wilson(before.alone, before.ended))
    bars = [bar.alone / bar.ended if bar.ended else None for bar in found.bars]
    hrefs = [traces(found.span, start, status="closed") for start in found.span.bars]
    told, reached = _told(wilson(run.resolved, run.expected) if run else None, scale, "case to be resolved")
    return Axis(
        "completion", "Completion", "over 85 %",
        "Of the conversations that ended, those resolved without anybody of staff; those closed unresolved count "
        "against it.",
        [shown], _chart("Completion", found, [("Without a person", "solid", bars)], scale, hrefs),
        told, reached,
    )  # fmt: skip


def _accuracy(found: Happened, labels: Sequence[Labelled], run: Evaluated | None) -> Axis:
    scale = Scale("judged answer", ACCURACY, share, _points, top=1.0)
    evidence = Scale("claim", ACCURACY, share, _points, top=1.0)
    start = found.span.start
    now, before = [one for one in labels if one.at >= start], [one for one in labels if one.at < start]
    backed = ratio([(bar.backed, bar.claims) for bar in found.bars if bar.claims], cases=found.now.claims)
    was = wilson(found.before.backed, found.before.claims)
    judged = [_of_bar(found, now, number) for number in range(len(found.bars))]
    by_evidence = [bar.backed / bar.claims if bar.claims else None for bar in found.bars]
    lines = [("Judged right", "solid", judged), ("Claims backed", "dashed", by_evidence)]
    told, reached = _told(wilson(run.accurate, run.cases) if run else None, scale, "case")
    figures = [
        figure("Judged right", scale, right(now), right(before)),
        figure("By evidence", evidence, _capped(backed), was),
    ]
    return Axis(
        "accuracy", "Accuracy", "over 95 %",
        "Judged right: the share of answers whose every statement staff found right, each standing for as many as its "
        "chance says. By evidence: of the claims in drafts, those that tool results and articles back.",
        figures, _chart("Accuracy", found, lines, scale, [""] * len(found.bars)),
        told, reached,
    )  # fmt: skip


def _satisfaction(found: Happened) -> Axis:
    scale = Scale("rating", SATISFACTION, "{:.2f}".format, _more, top=5.0)
    shown = figure("Of 5", scale, _rated(found.now), _rated(found.before))
    bars = [one.value if (one := mean(bar.ratings)) and one.cases >= FEW_OF_A_BAR else None for bar in found.bars]
    return Axis(
        "satisfaction", "Satisfaction", "over 4.2 of 5",
        "The mean of the surveys answered, with a person or without.",
        [shown], _chart("Satisfaction", found, [("Mean rating", "solid", bars)], scale, [""] * len(found.bars)),
        "An evaluation has no customers who could rate it.",
    )  # fmt: skip


def _cost(found: Happened, run: Evaluated | None) -> Axis:
    scale = Scale("resolution", COST, usd, _dollars, is_more_better=False)
    now, before = found.now, found.before
    groups = [(float(bar.cost_usd), float(bar.resolutions)) for bar in found.bars]
    was = ratio([(float(before.cost_usd), float(before.resolutions))], cases=before.resolutions)
    bars = [float(bar.cost_usd) / bar.resolutions if bar.resolutions else None for bar in found.bars]
    told, reached = "No evaluation run yet.", ""
    if run is not None and run.resolutions:
        each = float(run.cost_usd) / run.resolutions
        told = f"{usd(each)} from {many(run.resolutions, 'resolution')}, {usd(run.cost_usd)} together"
        reached = "reached" if each < COST else "missed"
    elif run is not None:
        told = "Nothing was resolved in the newest run."
    return Axis(
        "cost", "Cost per resolution", "under $0.15",
        "All that the assistant's steps cost, background tasks included, over the resolutions that stand, with a "
        "person or without.",
        [figure("A resolution", scale, ratio(groups, cases=now.resolutions), was)],
        _chart("Cost per resolution", found, [("A resolution", "solid", bars)], scale,
               [traces(found.span, start) for start in found.span.bars]),
        told, reached,
    )  # fmt: skip


def _rated(of: Stretch) -> Estimate | None:
    found = mean(of.ratings)
    return Estimate(found.value, max(1.0, found.low), min(5.0, found.high), found.cases) if found else None


def _capped(of: Estimate | None) -> Estimate | None:
    return Estimate(of.value, of.low, min(1.0, of.high), of.cases) if of else None


def _of_bar(found: Happened, labels: Sequence[Labelled], number: int) -> float | None:
    """Of the answers given within one bar; nothing when few were judged."""
    start = found.span.bars[number]
    end = found.span.bars[number + 1] if number + 1 < len(found.bars) else found.span.end
    shown = right([one for one in labels if start <= one.at < end])
    return shown.value if shown and shown.cases >= FEW_OF_A_BAR else None


def _chart(
    title: str, found: Happened, lines: list[tuple[str, str, list[float | None]]], scale: Scale, hrefs: list[str]
) -> Lines:
    """The lines bar by bar, and the goal as a dotted one."""
    values = [value for _, _, numbers in lines for value in numbers if value is not None]
    most = scale.top or max([*values, scale.goal]) * 1.1
    drawn = [Line(name, line_path(numbers, most), _written(numbers, scale), style) for name, style, numbers in lines]
    level: list[float | None] = [scale.goal] * len(found.bars)
    goal = Line("Goal", line_path(level, most) if values else "", _written(level, scale), "dotted")
    labels = [label_of(found.span, start) for start in found.span.bars]
    known = [any(numbers[number] is not None for _, _, numbers in lines) for number in range(len(labels))]
    links = [href if is_known else "" for href, is_known in zip(hrefs, known, strict=True)]
    return Lines(title, labels, [*drawn, goal], scale.shown(most), len(labels) * PITCH, links)


def _written(numbers: Sequence[float | None], scale: Scale) -> list[str]:
    return [NONE if value is None else scale.shown(value) for value in numbers]


def _told(found: Estimate | None, scale: Scale, noun: str) -> tuple[str, str]:
    if found is None:
        return "No evaluation run yet.", ""
    part = round(found.value * found.cases)
    interval = f"{percent(found.low)} to {percent(found.high)}"
    return f"{share(found.value)} ({interval}): {count(part)} of {_many(found.cases, noun)}", verdict(found, scale)


def _many(number: int, noun: str) -> str:
    first, _, rest = noun.partition(" to ")
    return f"{many(number, first)}{f' to {rest}' if rest else ''}"


def _points(by: float) -> str:
    points = round(by * 100, 1)
    return minus(f"{points:+.1f} points") if points else "as before"


def _more(by: float) -> str:
    return minus(f"{by:+.2f}") if round(by, 2) else "as before"


def _dollars(by: float) -> str:
    if not round(by, 4):
        return "as before"
    return f"{'+' if by > 0 else '−'}{usd(abs(by))}"
