"""The same axes over the newest whole evaluation run, read from its results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import CharField, F, Func, Value

from support_agent.models import EvalResult, EvalRun, RunState

RESOLVED = "resolved"
# Of what a case can fail by, these say nothing about the words, tools and records of its answers.
_NOT_ACCURACY = re.compile(r"^(?:.{0,12}: )?(?:cost |took |it took |expected |a turn ended|nothing was answered)")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`expected` cases were to be resolved, `resolved` of them were; of `cases`, `accurate` kept what they assert."""

    run: EvalRun
    cases: int
    accurate: int
    expected: int
    resolved: int
    resolutions: int
    cost_usd: Decimal  # of the assistant: nobody in life pays for the customers


def newest_evaluated() -> Evaluated | None:
    """Of all cases, not of one suite; two queries."""
    run = EvalRun.objects.filter(state=RunState.DONE, suite="").order_by("-created_at").first()
    if run is None:
        return None
    wanted = Func(F("written"), Value(r"outcome:\s*[\"']?([a-z]+)"), function="substring", output_field=CharField())
    results = EvalResult.objects.filter(run=run).exclude(status=EvalResult.Status.SKIPPED).order_by()
    cases = accurate = expected = resolved = resolutions = 0
    spent = Decimal(0)
    for failures, outcome, cost, asked in results.annotate(asked=wanted).values_list(
        "failures", "outcome", "cost_usd", "asked"
    ):
        is_resolved = outcome == RESOLVED
        cases, spent, resolutions = cases + 1, spent + cost, resolutions + is_resolved
        accurate += all(_NOT_ACCURACY.match(str(one)) for one in failures)
        if asked == RESOLVED:
            expected, resolved = expected + 1, resolved + is_resolved
    spent = max(Decimal(0), spent - Decimal(str(run.summary.get("customers_usd", 0))))
    return Evaluated(run, cases, accurate, expected, resolved, resolutions, spent)
