"""Every evaluation case, with the demo model."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import get_args

import pytest

from support_agent.evals.cases import Adversarial, Case, Outcome, load_cases
from support_agent.evals.changes import CUSTOMER_CHANGES, ORDER_CHANGES
from support_agent.evals.faults import Fault
from support_agent.evals.report import lines
from support_agent.evals.run import model_named, run_case

pytestmark = [pytest.mark.xdist_group("evals"), pytest.mark.usefixtures("evals_database")]
OFTEN = (
    "contradictory",
    "emotional",
    "empty",
    "gibberish",
    "huge",
    "images",
    "injection",
    "mixed scripts",
    "other people's orders",
    "policy bending",
    "prompt leak",
    "social engineering",
    "stale data",
    "tool failures",
    "wrong language",
)


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: f"{case.suite}/{case.id}")
async def test_case(case: Case) -> None:
    async with model_named() as model:
        result = await run_case(case, model, is_demo=True)
    if result.status == "skipped":
        warnings.warn(f"evaluation case {case.id} skipped: {result.failures[0]}", stacklevel=1)
        pytest.skip(result.failures[0])
    assert result.status == "passed", "\n".join(lines([result]))


def test_there_are_enough_cases() -> None:
    cases = load_cases()
    assert len(cases) >= 130
    assert sum(bool(case.adversarial) for case in cases) >= 68
    assert sum(bool(case.needs) for case in cases) <= 8
    assert {case.expect.outcome for case in cases} == set(get_args(Outcome))


def test_every_kind_of_trap_is_there() -> None:
    """What the demo model can be held to counts alone, so that no kind is there only for who has a key."""
    kinds: Counter[str] = Counter(case.adversarial for case in load_cases() if not case.needs)
    assert set(kinds) == set(get_args(Adversarial))
    assert [kind for kind in OFTEN if kinds[kind] < 4] == []


def test_every_fault_and_every_change_is_used() -> None:
    cases = load_cases()
    assert {fault for case in cases for fault in case.faults.values()} == set(get_args(Fault))
    changes = {what for case in cases for step in case.steps for what in step.change.values()}
    assert changes >= {*ORDER_CHANGES, *CUSTOMER_CHANGES, "withdrawn"}


def test_no_two_cases_are_the_same() -> None:
    seen: dict[str, str] = {}
    for case in load_cases():
        story = repr((case.customer, case.language, case.records, case.articles, case.faults, case.steps, case.persona))
        assert story not in seen, f"{case.id} is {seen[story]} again"
        seen[story] = case.id
