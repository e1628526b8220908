"""What a run with a real model will cost, as far as former runs tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from support_agent.evals.cases import Case
from support_agent.models import EvalResult
from support_agent.runtime.eval_runs import DEMO


@dataclass(frozen=True, slots=True)
class Estimate:
    """In USD: what it will likely cost and at most; `known` of its cases have been paid for before."""

    usd: Decimal
    most: Decimal
    known: int
    cases: int

    def __str__(self) -> str:
        return (
            f"about {self.usd:.2f} USD, {self.most:.2f} at most "
            f"(by what {self.known} of {self.cases} cases cost before)"
        )


def estimate(cases: Sequence[Case], model: str, repeat: int) -> Estimate:
    """By the newest cost of each case with this model, else with the demo model, which is priced as the configured
    ones; a case that never ran costs as the others do, or a fifth of what it may."""
    ids = [case.id for case in cases]
    known = _known(ids, model)
    guessed = {case: cost for case, cost in _known(ids, DEMO).items() if case not in known}
    mean = sum(known.values(), Decimal(0)) / len(known) if known else None
    likely, most = Decimal(0), Decimal(0)
    for case in cases:
        limit = Decimal(str(case.max_cost_usd))
        likely += known.get(case.id) or mean or guessed.get(case.id) or limit / 5
        most += limit
    return Estimate(likely * repeat, most * repeat, len(known), len(cases))


def _known(ids: Sequence[str], model: str) -> dict[str, Decimal]:
    """A run's cost of each case that ran with this model, by the newest."""
    rows = EvalResult.objects.filter(case__in=ids, run__model=model, runs__gt=0, cost_usd__gt=0)
    newest = rows.order_by("case", "-created_at").distinct("case").values_list("case", "cost_usd", "runs")
    return {case: cost / runs for case, cost, runs in newest}
