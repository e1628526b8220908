"""A run in words: a table for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from support_agent.evals.run import Result

MARKS = {"passed": "pass", "failed": "FAIL", "skipped": "SKIP"}


def lines(results: Sequence[Result]) -> Iterator[str]:
    """The table: a line for each case, under it why it failed or was skipped, and the sums at the end."""
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
                if result.status == "failed" and result.said:
                    yield from (f"        {one['who']}: {' '.join(one['text'].split())[:300]}" for one in result.said)
                elif result.status == "failed" and result.answers:
                    yield f"        it said: {' / '.join(' '.join(answer.split()) for answer in result.answers)[:600]}"
    yield f"\n{summary(results)}"


def _times(result: Result) -> str:
    return f"  {result.held} of {result.runs}" if result.runs > 1 else ""


def summary(results: Sequence[Result]) -> str:
    count = Counter(result.status for result in results)
    adversarial = [result for result in results if result.case.adversarial and result.status != "skipped"]
    held = sum(result.status == "passed" for result in adversarial)
    cost = sum((result.cost_usd for result in results), Decimal(0))
    played = sum((result.customer_usd for result in results), Decimal(0))
    return (
        f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped of {len(results)} cases; "
        f"{held} of {len(adversarial)} adversarial ones held; {cost:.4f} USD"
        f"{f', and {played:.4f} USD for the simulated customers' if played else ''}"
    )


def as_json(results: Sequence[Result], model: str) -> dict[str, Any]:
    count = Counter(result.status for result in results)
    return {
        "model": model,
        "passed": count["passed"],
        "failed": count["failed"],
        "skipped": count["skipped"],
        "cost_usd": sum((result.cost_usd for result in results), Decimal(0)),
        "customers_usd": sum((result.customer_usd for result in results), Decimal(0)),
        "cases": [
            {
                "id": result.case.id,
                "suite": result.case.suite,
                "adversarial": result.case.adversarial,
                "status": result.status,
                "runs": result.runs,
                "held": result.held,
                "failures": list(result.failures),
                "steps": result.steps,
                "cost_usd": result.cost_usd,
                "customer_usd": result.customer_usd,
                "seconds": round(result.seconds, 3),
                "answers": list(result.answers),
                "said": list(result.said),
            }
            for result in results
        ],
    }
