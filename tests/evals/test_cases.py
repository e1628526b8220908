"""Every evaluation case, with the demo model."""

from __future__ import annotations

import warnings

import pytest

from support_agent.evals.cases import Case, load_cases
from support_agent.evals.report import lines
from support_agent.evals.run import model_named, run_case

pytestmark = [pytest.mark.xdist_group("evals"), pytest.mark.usefixtures("evals_database")]


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
    assert len(cases) >= 30
    assert sum(bool(case.adversarial) for case in cases) >= 12
    assert sum(bool(case.needs) for case in cases) <= 3
