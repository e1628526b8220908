"""How the nightly runs went, one after the other: drawn by hand, since a rate near 100 % needs a scale of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from support_agent.models import EvalRun
from support_agent.ops.charts import HEIGHT, PITCH, Columns, Point, columns
from support_agent.ops.selectors.eval_figures import WANTED, RunFigures, floor_of, run_figures
from support_agent.templatetags.desk import share, usd


@dataclass(frozen=True, slots=True)
class Night:
    """One run: the ends of its interval and its value as places in the drawing, 0 at the top."""

    at: datetime
    href: str
    x: float
    top: float
    bottom: float
    y: float
    figures: RunFigures
    cost: str


@dataclass(frozen=True, slots=True)
class Trend:
    """`wanted` is where the threshold lies, `path` joins the values; `panels` are failed cases and cost."""

    nights: list[Night]
    floor: float
    width: int
    path: str
    wanted: float | None
    wanted_share: float | None
    panels: list[Columns]

    @property
    def last(self) -> Night | None:
        return self.nights[-1] if self.nights else None


def trend_of(runs: Sequence[EvalRun]) -> Trend:
    """Of runs in the order of their time; no query."""
    told = [(run, run_figures(run)) for run in runs]
    told = [(run, figures) for run, figures in told if figures.pass_at_1.value is not None]
    thresholds = [one for _, figures in reversed(told) for one in figures.thresholds]
    wanted = next((one.wanted for one in thresholds if one.name == WANTED["pass"][0]), None)
    floor = floor_of([figures.pass_at_1 for _, figures in told])
    if wanted is not None:
        floor = min(floor, int(wanted * 10) / 10)
    nights = [_night(run, figures, number, floor) for number, (run, figures) in enumerate(told)]
    return Trend(
        nights=nights,
        floor=floor,
        width=max(1, len(nights)) * PITCH,
        path="".join(f"{'L' if number else 'M'}{one.x:g} {one.y:g}" for number, one in enumerate(nights)),
        wanted=None if wanted is None else _place(wanted, floor),
        wanted_share=wanted,
        panels=_panels(nights, [run for run, _ in told]),
    )


def _night(run: EvalRun, figures: RunFigures, number: int, floor: float) -> Night:
    rate = figures.pass_at_1
    value = rate.value or 0.0
    return Night(
        at=run.created_at,
        href=reverse("evals_run", args=[run.pk]),
        x=number * PITCH + PITCH / 2,
        top=_place(value if rate.high is None else rate.high, floor),
        bottom=_place(value if rate.low is None else rate.low, floor),
        y=_place(value, floor),
        figures=figures,
        cost=usd(run.cost_usd),
    )


def _place(value: float, floor: float) -> float:
    part = max(0.0, (value - floor) / (1 - floor))
    return round(HEIGHT - part * (HEIGHT - 4) - 2, 1)


def _panels(nights: Sequence[Night], runs: Sequence[EvalRun]) -> list[Columns]:
    if not nights:
        return []
    labels = [f"{night.at:%-d %b}" for night in nights]
    failed = [
        Point(label, night.figures.failed, str(night.figures.failed), night.href)
        for label, night in zip(labels, nights, strict=True)
    ]
    costs = [
        Point(label, float(run.cost_usd), night.cost, night.href)
        for label, night, run in zip(labels, nights, runs, strict=True)
    ]
    last = nights[-1]
    return [
        columns("Cases that failed", failed, total=str(last.figures.failed), note="in the last night", noun="night"),
        columns("Cost", costs, total=last.cost, note=f"in the last night, {_each(last.figures)}", noun="night"),
    ]


def _each(figures: RunFigures) -> str:
    if figures.cost_per_case is None:
        return f"{share(figures.pass_at_1.value)} passed"
    return f"{usd(figures.cost_per_case)} a case"
