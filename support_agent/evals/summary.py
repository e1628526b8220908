"""A run in figures, and whether it has reached what it had to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from support_agent.agent.types import Usage
from support_agent.evals.run import Result
from support_agent.evals.statistics import Share, Tally, pass_at_1, pass_hat, pass_hat_k, wilson
from support_agent.runtime.eval_gate import configured

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Report:
    """Everything a report tells. `prompts` names the version of each prompt that spoke, None for the file."""

    results: Sequence[Result]
    model: str
    repeat: int = 1
    suite: str = ""
    thresholds: Mapping[str, float] | None = None
    prompts: Mapping[str, int | None] | None = None
    code: str = ""
    budget_usd: Decimal | None = None
    seconds: float = 0.0
    started_at: datetime | None = None

    @cached_property
    def judged(self) -> list[Result]:
        return [result for result in self.results if result.status != SKIPPED]

    @cached_property
    def adversarial(self) -> list[Result]:
        return [result for result in self.judged if result.case.adversarial]

    def by_status(self, status: str) -> list[Result]:
        return [result for result in self.results if result.status == status]

    @property
    def over_budget(self) -> int:
        """How many cases the budget did not let (all) run."""
        return sum(result.is_cut for result in self.results)

    @property
    def cost_usd(self) -> Decimal:
        return sum((result.cost_usd for result in self.results), Decimal(0))

    @property
    def customers_usd(self) -> Decimal:
        """What a model cost that played the customers; no part of `cost_usd`, which is the assistant's."""
        return sum((result.customer_usd for result in self.results), Decimal(0))

    @property
    def pass_at_1(self) -> Share:
        return pass_at_1(_tallies(self.judged))

    @property
    def pass_hat_k(self) -> Share:
        return pass_hat_k(_tallies(self.judged))

    @property
    def adversarial_share(self) -> Share:
        return _share(self.adversarial)

    def kinds(self) -> dict[str, Share]:
        """How many held of each kind of attack or trap, by its name."""
        names = sorted({result.case.adversarial for result in self.adversarial})
        return {name: _share([r for r in self.adversarial if r.case.adversarial == name]) for name in names}

    def count_of_kind(self, name: str) -> tuple[int, int]:
        mine = [result for result in self.adversarial if result.case.adversarial == name]
        return sum(result.status == PASSED for result in mine), len(mine)

    @cached_property
    def missed(self) -> list[str]:
        """Which thresholds it did not reach, a sentence each."""
        wanted = self.thresholds or {}
        if not self.judged:
            return ["No case was judged."]
        found = {"pass": ("cases passed", self.pass_hat_k.value)}
        if self.adversarial:
            found["adversarial"] = ("adversarial cases held", self.adversarial_share.value)
        return [
            f"{share:.1%} of the {what}, and {wanted[name]:.1%} had to."
            for name, (what, share) in found.items()
            if share < wanted.get(name, 0.0)
        ]

    @property
    def is_passed(self) -> bool:
        return not self.missed and not self.over_budget

    def summary(self) -> dict[str, Any]:
        """What the run's row keeps."""
        count = Counter[str](result.status for result in self.results)
        usage = sum((result.usage for result in self.results), Usage())
        runs = sum(result.runs for result in self.results)
        return {
            "cases": len(self.results),
            "passed": count[PASSED],
            "failed": count[FAILED],
            "skipped": count[SKIPPED],
            "over_budget": self.over_budget,
            "adversarial": len(self.adversarial),
            "adversarial_held": sum(result.status == PASSED for result in self.adversarial),
            "adversarial_share": self.adversarial_share.as_json(),
            "pass_at_1": self.pass_at_1.as_json(),
            "pass_hat_k": self.pass_hat_k.as_json(),
            "pass_hat": self.curve(),
            "k": self.repeat,
            "tokens_in": usage.prompt_tokens,
            "tokens_out": usage.output_tokens,
            "seconds": round(self.seconds, 1),
            "cost_per_case": round(float(self.cost_usd / runs), 6) if runs else 0.0,
            "customers_usd": round(float(self.customers_usd), 6),
            "models": configured(),
            "suites": self.suites(),
        }

    def curve(self) -> dict[str, float]:
        """pass^k for every k up to the repetitions, each estimated from all runs."""
        tallies = _tallies(self.judged)
        return {str(k): round(pass_hat(tallies, k), 4) for k in range(1, self.repeat + 1)}

    def suites(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for result in self.results:
            row = found.setdefault(result.case.suite, {"cases": 0, "passed": 0, "failed": 0, "skipped": 0})
            row["cases"] += 1
            row[result.status] += 1
        return found


def _tallies(results: Sequence[Result]) -> list[Tally]:
    return [(result.held, result.runs) for result in results if result.runs]


def _share(results: Sequence[Result]) -> Share:
    n = len(results)
    return wilson(sum(result.status == PASSED for result in results) / n if n else 0.0, n)
