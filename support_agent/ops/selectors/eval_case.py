"""One evaluation case through all runs: how it came out, when its text changed, what it cost, what it says now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse

from support_agent.models import EvalResult, SavedCase
from support_agent.ops.charts import Columns, Point, columns
from support_agent.ops.selectors.prompts import Line, compared
from support_agent.templatetags.desk import span, usd

PAGE = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """One run of the case; `is_changed`: its text is another than in the run before."""

    result: EvalResult
    is_changed: bool

    @property
    def is_partly(self) -> bool:
        """Some of its runs passed, and not all."""
        return self.result.status == "failed" and self.result.held > 0


@dataclass(frozen=True, slots=True)
class CasePage:
    """`marks` are the newest runs, the oldest of them first; `newest` has its thread and text."""

    case: str
    newest: EvalResult
    marks: list[Mark]
    has_more: bool
    models: list[str]
    saved: SavedCase | None
    changes: list[Line]
    changed_at: EvalResult | None
    panels: list[Columns]

    @property
    def failed(self) -> list[Mark]:
        """Those that failed, the newest first."""
        return [mark for mark in reversed(self.marks) if mark.result.status == "failed"]

    @property
    def text(self) -> str:
        return self.saved.yaml if self.saved else self.newest.written

    @property
    def is_since(self) -> bool:
        """Whether the saved case was changed since it last ran."""
        return self.saved is not None and self.newest.written.strip() not in ("", self.saved.yaml.strip())

    @property
    def counted(self) -> int:
        return sum(mark.result.status != "skipped" for mark in self.marks)

    @property
    def passed(self) -> int:
        return sum(mark.result.status == "passed" for mark in self.marks)


def case_page(case: str, model: str = "") -> CasePage | None:
    """Four queries, a fifth when its text changed; None when it never ran (with this model)."""
    mine = EvalResult.objects.filter(case=case)
    models = sorted(mine.order_by().values_list("run__model", flat=True).distinct())
    if model:
        mine = mine.filter(run__model=model)
    listed = mine.select_related("run").defer("said", "written", "tools", "run__summary", "run__thresholds")
    found = list(listed.order_by("-created_at", "-pk")[: PAGE + 1])
    if not found:
        return None
    marks = list(_marks(found))[-PAGE:]
    newest = EvalResult.objects.select_related("run").get(pk=found[0].pk)
    changed_at, changes = _changes(marks, newest)
    return CasePage(
        case=case,
        newest=newest,
        marks=marks,
        has_more=len(found) > PAGE,
        models=models,
        saved=SavedCase.objects.filter(name=case).first(),
        changes=changes,
        changed_at=changed_at,
        panels=_panels(marks),
    )


def _marks(newest_first: Sequence[EvalResult]) -> Iterator[Mark]:
    before = ""
    for result in reversed(newest_first):
        yield Mark(result, bool(before) and result.fingerprint != before)
        before = result.fingerprint


def _changes(marks: Sequence[Mark], newest: EvalResult) -> tuple[EvalResult | None, list[Line]]:
    """The last change of its text: the run that brought it, and the lines that differ."""
    place = next((number for number in range(len(marks) - 1, 0, -1) if marks[number].is_changed), None)
    if place is None:
        return None, []
    old = EvalResult.objects.filter(pk=marks[place - 1].result.pk).values_list("written", flat=True).first()
    return marks[place].result, list(compared(old or "", newest.written))


def _panels(marks: Sequence[Mark]) -> list[Columns]:
    ran = [mark.result for mark in marks if mark.result.status != "skipped"]
    if not ran:
        return []
    last = ran[-1]
    return [
        columns("Cost a run", [_point(one, float(_each(one)), usd(_each(one))) for one in ran],
                total=usd(_each(last)), note=f"the last; {last.steps} steps", noun="run"),
        columns("Time a run", [_point(one, _each_s(one), span(round(_each_s(one) * 1000))) for one in ran],
                total=span(round(_each_s(last) * 1000)), note="the last", noun="run"),
    ]  # fmt: skip


def _point(result: EvalResult, number: float, value: str) -> Point:
    return Point(f"{result.created_at:%-d %b, %H:%M}", number, value, reverse("evals_run", args=[result.run_id]))


def _each(result: EvalResult) -> Decimal:
    return result.cost_usd / max(1, result.runs)


def _each_s(result: EvalResult) -> float:
    return result.seconds / max(1, result.runs)
