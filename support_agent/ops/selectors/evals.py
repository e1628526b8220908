"""The list of evaluation runs: its filter, a page of rows, and how the nightly ones went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from support_agent.models import EvalResult, EvalRun, PromptVersion, RunState
from support_agent.ops.selectors.eval_figures import Bar, RunFigures, bar_of, floor_of, run_figures
from support_agent.ops.selectors.prompts import FILE, NAMES
from support_agent.ops.selectors.reading import name as named
from support_agent.runtime.eval_rows import LIVE

PAGE = 50
PAGES = 10_000
EXPORT_MOST = 10_000
VERDICTS = {"passed": "Passed", "failed": "Failed", "stopped": "Stopped", "goes_on": "Queued or running"}
ALL = "all"  # the suite of a run of every case


@dataclass(frozen=True, slots=True)
class EvalFilter:
    """What the address asks for; what it does not know is left out. `prompt` is `assistant:3` or `file`."""

    kind: str = ""
    suite: str = ""
    model: str = ""
    prompt: str = ""
    verdict: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        kind, verdict = query.get("kind", ""), query.get("verdict", "")
        return cls(
            kind=kind if kind in EvalRun.Kind.values else "",
            suite=named(query.get("suite", "")),
            model=named(query.get("model", "")),
            prompt=named(query.get("prompt", "")),
            verdict=verdict if verdict in VERDICTS else "",
        )

    def as_query(self, **more: str | int) -> str:
        kept: dict[str, str | int] = {
            "kind": self.kind, "suite": self.suite, "model": self.model, "prompt": self.prompt, "verdict": self.verdict
        }  # fmt: skip
        return urlencode({name: value for name, value in (kept | more).items() if value})

    def apply(self, runs: QuerySet[EvalRun]) -> QuerySet[EvalRun]:
        if self.kind:
            runs = runs.filter(kind=self.kind)
        if self.suite:
            runs = runs.filter(suite="" if self.suite == ALL else self.suite)
        if self.model:
            runs = runs.filter(model=self.model)
        if self.prompt:
            runs = runs.filter(_spoke(self.prompt))
        return runs.filter(_came_to(self.verdict)) if self.verdict else runs


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with its figures; `done` of its cases are written so far."""

    run: EvalRun
    figures: RunFigures
    bar: Bar | None
    done: int

    @property
    def per_cent(self) -> int:
        return min(100, round(self.done / self.run.total * 100)) if self.run.total else 0


@dataclass(frozen=True, slots=True)
class RunsPage:
    """`floor` is where the scale of all bars begins, as a share."""

    rows: list[RunRow]
    floor: float
    has_more: bool

    @property
    def goes_on(self) -> bool:
        return any(row.figures.goes_on for row in self.rows)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (value, label) each."""

    kinds: list[tuple[str, str]]
    suites: list[tuple[str, str]]
    models: list[tuple[str, str]]
    prompts: list[tuple[str, str]]
    verdicts: list[tuple[str, str]]


def runs_page(wanted: EvalFilter, page: int = 1, limit: int = PAGE) -> RunsPage:
    """The newest runs first; two queries, the second for those that go on alone."""
    start = (page - 1) * limit
    found = list(wanted.apply(_listed())[start : start + limit + 1])
    rows = rows_of(found[:limit])
    floor = floor_of([row.figures.pass_at_1 for row in rows])
    return RunsPage(rows, floor, len(found) > limit)


def rows_of(runs: Sequence[EvalRun]) -> list[RunRow]:
    """These runs with their figures, on one scale; one query when some go on."""
    told = {run.pk: run_figures(run) for run in runs}
    floor = floor_of([figures.pass_at_1 for figures in told.values()])
    done = done_of([run.pk for run in runs if told[run.pk].goes_on])
    return [
        RunRow(run, told[run.pk], bar_of(told[run.pk].pass_at_1, floor), done.get(run.pk, told[run.pk].cases))
        for run in runs
    ]


def done_of(ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many cases each of these has written; one query, or none."""
    if not ids:
        return {}
    counted = EvalResult.objects.filter(run__in=ids).order_by().values_list("run").annotate(Count("pk"))
    return dict.fromkeys(ids, 0) | dict(counted)


def all_runs(wanted: EvalFilter) -> Iterator[RunRow]:
    """Every matching run, the newest first, for a file."""
    for run in wanted.apply(_listed())[:EXPORT_MOST].iterator(500):
        figures = run_figures(run)
        yield RunRow(run, figures, None, figures.cases)


def nightly(limit: int = 30) -> list[EvalRun]:
    """The newest nightly runs that came to an end, the oldest of them first; one query."""
    return list(_listed().filter(kind=EvalRun.Kind.NIGHTLY, state=RunState.DONE)[:limit])[::-1]


def choices_of(wanted: EvalFilter) -> Choices:
    """Two queries; a value of the address that is in no list is offered too."""
    known = set(EvalRun.objects.order_by().values_list("suite", "model").distinct())
    suites = sorted({suite for suite, _ in known if suite} | ({wanted.suite} - {"", ALL}))
    models = sorted({model for _, model in known} | ({wanted.model} - {""}))
    versions = [
        f"{name}:{number}"
        for name, number in PromptVersion.objects.order_by("name", "-number").values_list("name", "number")[:200]
    ]
    others = sorted({wanted.prompt} - {"", FILE, *versions})
    return Choices(
        kinds=list(EvalRun.Kind.choices),
        suites=[(ALL, "All cases"), *((name, name) for name in suites)],
        models=[(name, name) for name in models],
        prompts=[(FILE, "The files"), *((one, one.replace(":", " ")) for one in [*versions, *others])],
        verdicts=list(VERDICTS.items()),
    )


def _listed() -> QuerySet[EvalRun]:
    return EvalRun.objects.select_related("prompt", "asked_by").defer("prompt__text").order_by("-created_at", "-pk")


def _spoke(prompt: str) -> Q:
    """Runs on trial of this version, and those in which it spoke; `file`: those in which the files spoke alone."""
    if prompt == FILE:
        files = (Q(**{f"prompts__{name}": None}) | ~Q(prompts__has_key=name) for name in NAMES)
        return reduce(and_, files, Q(prompt=None))
    name, _, number = prompt.partition(":")
    if name not in NAMES or not (number.isascii() and number.isdigit() and len(number) < 6):
        return Q(pk__in=[])
    return Q(prompt__name=name, prompt__number=int(number)) | Q(**{f"prompts__{name}": int(number)})


def _came_to(verdict: str) -> Q:
    if verdict == "goes_on":
        return Q(state__in=LIVE)
    if verdict == "stopped":
        return Q(state=RunState.FAILED)
    return Q(state=RunState.DONE, is_passed=verdict == "passed")


def before_of(run: EvalRun) -> EvalRun | None:
    """The run before it of the same kind, suite and model that came to its end; one query."""
    same = _listed().filter(kind=run.kind, suite=run.suite, model=run.model, state=RunState.DONE)
    return same.filter(created_at__lt=run.created_at).exclude(pk=run.pk).first()


def ended_runs(limit: int = 100) -> list[EvalRun]:
    """The newest runs that can be compared; one query."""
    return list(_listed().filter(state=RunState.DONE)[:limit])
