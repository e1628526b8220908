"""Two evaluation runs side by side: what the second does better and worse than the first, case by case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from support_agent.models import EvalResult, EvalRun
from support_agent.ops.figures import minus
from support_agent.ops.paired import Paired, paired
from support_agent.ops.selectors.eval_figures import Rate, RunFigures, run_figures
from support_agent.ops.selectors.eval_run import MOST
from support_agent.ops.selectors.prompts import FILE, NAMES
from support_agent.templatetags.desk import count, share, span, usd

COLUMNS = ("case", "suite", "adversarial", "fingerprint", "status", "runs", "held", "failures", "cost_usd", "steps")
MUCH = 0.2  # by how much a case's cost must move to be told
SKIPPED = EvalResult.Status.SKIPPED


@dataclass(frozen=True, slots=True)
class Pair:
    """A case in both runs, in the order asked for."""

    a: EvalResult
    b: EvalResult

    @property
    def case(self) -> str:
        return self.b.case

    @property
    def is_changed(self) -> bool:
        """Whether its text is another: then the two do not say the same thing."""
        return self.a.fingerprint != self.b.fingerprint

    @property
    def counts(self) -> bool:
        return not self.is_changed and SKIPPED not in (self.a.status, self.b.status)

    @property
    def is_fixed(self) -> bool:
        return self.a.status == "failed" and self.b.status == "passed"

    @property
    def is_broken(self) -> bool:
        return self.a.status == "passed" and self.b.status == "failed"

    @property
    def told_failures(self) -> list[str]:
        """What is wrong in the second run, or was in the first."""
        failed = next((row for row in (self.b, self.a) if row.status == "failed"), None)
        return [str(one) for one in failed.failures] if failed else []

    @property
    def dearer_by(self) -> float:
        """USD a run of the case, more in the second."""
        return _each(self.b) - _each(self.a)

    @property
    def steps_by(self) -> int:
        return self.b.steps - self.a.steps

    @property
    def moved(self) -> str:
        return minus(f"{_each(self.b) / _each(self.a) - 1:+.0%}") if _each(self.a) else ""

    @property
    def costs(self) -> tuple[float, float]:
        return _each(self.a), _each(self.b)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of both runs; `mood` is good or bad where one way is better."""

    name: str
    a: str
    b: str
    change: str
    mood: str


@dataclass(frozen=True, slots=True)
class PromptDifference:
    """A prompt that differs between the runs; `href` leads to the two texts compared."""

    name: str
    a: str
    b: str
    href: str


@dataclass(frozen=True, slots=True)
class Compared:
    a: EvalRun
    b: EvalRun
    figures_a: RunFigures
    figures_b: RunFigures
    pairs: list[Pair]
    fixed: list[Pair]
    broken: list[Pair]
    still: list[Pair]
    changed: list[Pair]
    added: list[EvalResult]
    gone: list[EvalResult]
    dearer: list[Pair]
    cheaper: list[Pair]
    longer: list[Pair]
    shorter: list[Pair]
    test: Paired
    measures: list[Measure]
    prompts: list[PromptDifference]
    code: str


def compare_runs(a: EvalRun, b: EvalRun) -> Compared:
    """Two queries: the results of each, without what was said."""
    left, right = _results(a), _results(b)
    pairs = [Pair(left[case], right[case]) for case in right if case in left]
    counted = [pair for pair in pairs if pair.counts]
    fixed, broken = [p for p in counted if p.is_fixed], [p for p in counted if p.is_broken]
    figures_a, figures_b = run_figures(a), run_figures(b)
    moved = [pair for pair in counted if pair.costs[0] and abs(pair.dearer_by) / pair.costs[0] >= MUCH]
    return Compared(
        a=a,
        b=b,
        figures_a=figures_a,
        figures_b=figures_b,
        pairs=pairs,
        fixed=fixed,
        broken=broken,
        still=[p for p in counted if p.a.status == p.b.status == "failed"],
        changed=[p for p in pairs if p.is_changed],
        added=[right[case] for case in right if case not in left],
        gone=[left[case] for case in left if case not in right],
        dearer=sorted((p for p in moved if p.dearer_by > 0), key=lambda p: -p.dearer_by),
        cheaper=sorted((p for p in moved if p.dearer_by < 0), key=lambda p: p.dearer_by),
        longer=sorted((p for p in counted if p.steps_by > 0), key=lambda p: -p.steps_by),
        shorter=sorted((p for p in counted if p.steps_by < 0), key=lambda p: p.steps_by),
        test=paired(pairs=len(counted), fixed=len(fixed), broken=len(broken)),
        measures=list(_measures(a, b, figures_a, figures_b)),
        prompts=_prompts(a, b),
        code=_code(a.code, b.code),
    )


def _results(run: EvalRun) -> dict[str, EvalResult]:
    rows = EvalResult.objects.filter(run=run).only("run", *COLUMNS).order_by("suite", "case")[:MOST]
    return {row.case: row for row in rows}


def _each(row: EvalResult) -> float:
    """What one of a result's runs cost, in USD."""
    return float(row.cost_usd) / max(1, row.runs)


def _measures(a: EvalRun, b: EvalRun, of_a: RunFigures, of_b: RunFigures) -> Iterable[Measure]:
    yield _rate("pass@1", of_a.pass_at_1, of_b.pass_at_1)
    if max(of_a.k, of_b.k) > 1:
        yield _rate("pass^k", of_a.pass_hat_k, of_b.pass_hat_k)
    yield _rate("Adversarial held", Rate(_held(of_a)), Rate(_held(of_b)))
    yield _amount("Failed", of_a.failed, of_b.failed, count)
    yield _amount("Cases", of_a.cases, of_b.cases, count, better=0)
    yield _amount("Cost a case", of_a.cost_per_case, of_b.cost_per_case, usd)
    yield _amount("Cost", float(a.cost_usd), float(b.cost_usd), usd)
    yield _amount("Input tokens", of_a.tokens_in, of_b.tokens_in, count)
    yield _amount("Output tokens", of_a.tokens_out, of_b.tokens_out, count)
    yield _amount("Time", of_a.took_ms, of_b.took_ms, span)


def _held(figures: RunFigures) -> float | None:
    return figures.adversarial_held / figures.adversarial if figures.adversarial else None


def _rate(name: str, a: Rate, b: Rate) -> Measure:
    if a.value is None or b.value is None:
        return Measure(name, share(a.value), share(b.value), "", "")
    points = round((b.value - a.value) * 100, 1)
    change = minus(f"{points:+.1f} points") if points else "as before"
    mood = "" if not points else "good" if points > 0 else "bad"
    return Measure(name, share(a.value), share(b.value), change, mood)


def _amount(name: str, a: float | None, b: float | None, shown: Any, *, better: int = -1) -> Measure:
    """`better` is -1 where less is good, 0 where it is neither."""
    one, other = ("–" if value is None else shown(value) for value in (a, b))
    if not a or b is None or abs(b / a - 1) < 0.005:
        return Measure(name, one, other, "as before" if a == b and a else "", "")
    mood = "" if not better else "good" if b < a else "bad"
    return Measure(name, one, other, minus(f"{b / a - 1:+.0%}"), mood)


def _prompts(a: EvalRun, b: EvalRun) -> list[PromptDifference]:
    left, right = ({one.name: one.number for one in run_figures(run).spoke} for run in (a, b))
    return [
        PromptDifference(name, _told(left[name]), _told(right[name]), _diff(name, right[name], left[name]))
        for name in sorted({*left} & {*right})
        if left[name] != right[name]
    ]


def _code(a: str, b: str) -> str:
    """What differs in the source: noted as commit/sources/cases."""
    if a == b:
        return "the same" if a else ""
    one, other = a.split("/"), b.split("/")
    if len(one) != 3 or len(other) != 3:
        return "another"
    differs = [what for what, left, right in zip(("code", "cases"), one[1:], other[1:], strict=True) if left != right]
    return f"other {' and '.join(differs)}" if differs else "the same but for the commit"


def _told(number: str) -> str:
    return f"version {number}" if number else "the file"


def _diff(name: str, shown: str, against: str) -> str:
    """The page that compares both texts; '' for prompts without versions."""
    if name not in NAMES:
        return ""
    query: dict[str, str] = {"prompt": name, "version": shown or FILE, "against": against or FILE}
    return f"{reverse('prompts')}?{urlencode(query)}"
