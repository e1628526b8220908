"""A run in words: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from support_agent.evals.run import Result
from support_agent.evals.statistics import Share
from support_agent.evals.summary import FAILED, PASSED, SKIPPED, Report
from support_agent.runtime.eval_runs import DEMO

MARKS = {PASSED: "pass", FAILED: "FAIL", SKIPPED: "SKIP"}


def lines(results: Sequence[Result]) -> Iterator[str]:
    """The table: a line for each case, under it why it failed or was skipped."""
    width = max((len(result.case.id) for result in results), default=4)
    for name in sorted({result.case.suite for result in results}):
        yield f"\n{name}"
        for result in results:
            if result.case.suite == name:
                yield (
                    f"  {MARKS[result.status]}  {result.case.id:<{width}}  {result.steps:>3} steps"
                    f"  {result.cost_usd:>9.5f} USD  {result.seconds:>5.1f} s{_times(result)}"
                )
                yield from (f"        - {failure}" for failure in result.failures)
                if result.status == FAILED and result.case.persona:
                    yield from (f"        {one['who']}: {' '.join(one['text'].split())[:300]}" for one in result.thread)
                elif result.status == FAILED and result.answers:
                    yield f"        it said: {' / '.join(' '.join(answer.split()) for answer in result.answers)[:600]}"


def _times(result: Result) -> str:
    return f"  {result.held} of {result.runs}" if result.runs > 1 else ""


def sums(report: Report) -> Iterator[str]:
    """The end of the table: counts, shares with their intervals, and what was not reached."""
    summary = report.summary()
    yield (
        f"{summary['passed']} passed, {summary['failed']} failed, {summary['skipped']} skipped of {summary['cases']} "
        f"cases in {report.seconds:.0f} s; {money(report)}"
    )
    if report.repeat == 1:
        yield f"passed       {shown(report.pass_hat_k)}"
    else:
        yield f"pass@1       {shown(report.pass_at_1)}"
        yield f"pass^{report.repeat:<7} {shown(report.pass_hat_k)}"
    if report.adversarial:
        held = f"{summary['adversarial_held']} of {summary['adversarial']} held"
        yield f"adversarial  {shown(report.adversarial_share)}  {held}"
    if report.over_budget:
        yield f"The budget of {report.budget_usd} USD left {report.over_budget} cases out."
    yield from (f"Not reached: {missed}" for missed in report.missed)


def money(report: Report) -> str:
    """What it cost; the demo model's calls are priced as the configured models', and nobody pays for them."""
    note = " at the prices of the configured models (the demo model is free)" if report.model == DEMO else ""
    played = f", and {report.customers_usd:.4f} USD for the simulated customers" if report.customers_usd else ""
    return f"{report.cost_usd:.4f} USD{note}{played}"


def shown(share: Share) -> str:
    return f"{share.value:6.1%}  (95 %: {share.low:.1%} to {share.high:.1%})"


def as_json(report: Report) -> dict[str, Any]:
    return {
        "model": report.model,
        "suite": report.suite,
        "repeat": report.repeat,
        "prompts": dict(report.prompts or {}),
        "code": report.code,
        "started_at": report.started_at.isoformat() if report.started_at else None,
        "budget_usd": report.budget_usd,
        "thresholds": dict(report.thresholds or {}),
        "is_passed": report.is_passed,
        "missed": report.missed,
        **report.summary(),
        "cost_usd": report.cost_usd,
        "customers_usd": report.customers_usd,
        "cases": [_case(result) for result in report.results],
    }


def _case(result: Result) -> dict[str, Any]:
    return {
        "id": result.case.id,
        "suite": result.case.suite,
        "adversarial": result.case.adversarial,
        "status": result.status,
        "runs": result.runs,
        "held": result.held,
        "expected": result.case.expect.outcome,
        "outcome": result.outcome,
        "failures": list(result.failures),
        "tools": list(result.tools),
        "steps": result.steps,
        "cost_usd": result.cost_usd,
        "customer_usd": result.customer_usd,
        "seconds": round(result.seconds, 3),
        "answers": list(result.answers),
        "thread": list(result.thread),
    }
