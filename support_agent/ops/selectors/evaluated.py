"""The same axes over the newest whole evaluation run, read from its results."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import CharField, F, Func, Q, Value

from support_agent.models import EvalResult, EvalRun, RunState

RESOLVED = "resolved"
# Of what a case can fail by, these say nothing about the words, tools and records of its answers: how it ended, what it
# took. Whatever else a sentence begins with counts, as `refunds: expected 0, found 1` does.
_NOT_ACCURACY = re.compile(
    r"expected |step \d+: expected the desk to |a turn ended |nothing was answered$"
    r"|cost [\d.]+ USD, |took \d+ steps, |it took more than "
)
# As runs write their cases: the outcome is the first that a case expects.
_ASKED = r"\n  expect:\n    outcome: ([a-z]+)"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`expected` cases were to be resolved, `resolved` of them passed; of `cases`, `accurate` kept what they assert;
    `resolutions` passed as resolved."""

    run: EvalRun
    cases: int
    accurate: int
    expected: int
    resolved: int
    resolutions: int
    cost_usd: Decimal  # of the assistant: nobody in life pays for the customers


def newest_evaluated() -> Evaluated | None:
    """Of all cases, whole, and with what is live: no version on trial; two queries."""
    run = _newest_run()
    if run is None:
        return None
    wanted = Func(F("written"), Value(_ASKED), function="substring", output_field=CharField())
    results = EvalResult.objects.filter(run=run).exclude(status=EvalResult.Status.SKIPPED).order_by()
    cases = accurate = expected = resolved = resolutions = 0
    spent = Decimal(0)
    for status, failures, outcome, cost, asked in results.annotate(asked=wanted).values_list(
        "status", "failures", "outcome", "cost_usd", "asked"
    ):
        is_resolved = status == EvalResult.Status.PASSED and outcome == RESOLVED
        cases, spent, resolutions = cases + 1, spent + cost, resolutions + is_resolved
        accurate += is_accurate(failures)
        if asked == RESOLVED:
            expected, resolved = expected + 1, resolved + is_resolved
    spent = max(Decimal(0), spent - Decimal(str(run.summary.get("customers_usd", 0))))
    return Evaluated(run, cases, accurate, expected, resolved, resolutions, spent)


def is_accurate(failures: Iterable[object]) -> bool:
    """Whether a case with these failures kept what it asserts of words, tools and records."""
    return all(_NOT_ACCURACY.match(str(one)) for one in failures)


def _newest_run() -> EvalRun | None:
    is_whole = Q(summary__over_budget=0) | Q(summary__over_budget__isnull=True)
    runs = EvalRun.objects.filter(is_whole, state=RunState.DONE, suite="", prompt=None)
    return runs.exclude(kind=EvalRun.Kind.GATE).order_by("-created_at").first()
