"""Running cases: each in its own world, graded, several at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from time import perf_counter
from typing import Literal

from support_agent.agent.types import ModelPort
from support_agent.env import env
from support_agent.evals.cases import Case
from support_agent.evals.cassettes import know_names, taped, wired
from support_agent.evals.grade import Observed, grade, observe
from support_agent.evals.play import play
from support_agent.evals.world import build, clear
from support_agent.llm.client import build_client
from support_agent.llm.demo import DemoTransport
from tickets.db import in_db

DEMO = "demo"
TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """How one case went; `failures` say what was expected and what came instead.

    A case that ran several times has passed when every run has (pass^k); `held` of its `runs` did.
    """

    case: Case
    status: Literal["passed", "failed", "skipped"]
    failures: tuple[str, ...] = ()
    seconds: float = 0.0
    cost_usd: Decimal = Decimal(0)
    steps: int = 0
    answers: tuple[str, ...] = field(default=(), repr=False)
    runs: int = 1
    held: int = 0


@asynccontextmanager
async def model_named(name: str = DEMO) -> AsyncIterator[ModelPort]:
    """The demo model without its pauses, or a model of the API for all tiers, with the configured key."""
    options = wired(
        api_key="demo" if name == DEMO else env.anthropic_api_key.get_secret_value(),
        base_url="" if name == DEMO else env.anthropic_base_url,
        small=env.agent_model_small if name == DEMO else name,
        medium=env.agent_model_medium if name == DEMO else name,
        large=env.agent_model_large if name == DEMO else name,
        transport=DemoTransport(words_per_second=0) if name == DEMO else None,
    )
    client = build_client(**options)
    try:
        yield client
    finally:
        await client.aclose()


async def run_cases(
    cases: Sequence[Case],
    model: ModelPort,
    *,
    is_demo: bool,
    repeat: int = 1,
    parallel: int = 4,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Run them, `parallel` at a time, in their order; those that change the help centre alone, at the end."""
    slots = asyncio.Semaphore(parallel)

    async def one(case: Case) -> Result:
        async with slots:
            runs = [await run_case(case, model, is_demo=is_demo) for _ in range(repeat)]
        result = _together(runs)
        on_result(result)
        return result

    shared = [case for case in cases if not case.articles]
    found = {result.case.id: result for result in await asyncio.gather(*map(one, shared))}
    for case in cases:
        if case.id not in found:
            found[case.id] = await one(case)
    return [found[case.id] for case in cases]


async def run_case(case: Case, model: ModelPort, *, is_demo: bool) -> Result:
    """Run and grade one case in the throw-away database."""
    if case.needs and is_demo:
        return Result(case, "skipped", (f"needs {case.needs}: {case.why}",))
    with taped(case.id):
        return await _run_case(case, model)


async def _run_case(case: Case, model: ModelPort) -> Result:
    started = perf_counter()
    world = await in_db(build, case)
    await in_db(know_names, world.things)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            rejected = await play(case, world, model)
        observed: Observed = await in_db(observe, world, rejected)
        failures = await in_db(grade, case, world, observed)
    except TimeoutError:
        return Result(case, "failed", (f"it took more than {TIMEOUT_S:.0f} s",), perf_counter() - started)
    finally:
        await in_db(clear, world)
    return Result(
        case,
        "failed" if failures else "passed",
        tuple(failures),
        perf_counter() - started,
        observed.cost_usd,
        observed.steps,
        tuple(observed.answers),
        held=int(not failures),
    )


def _together(runs: Sequence[Result]) -> Result:
    """Several runs of a case as one result: the first that failed speaks for them, times and costs add up."""
    worst = next((run for run in runs if run.status == "failed"), runs[0])
    return replace(
        worst,
        seconds=sum(run.seconds for run in runs),
        cost_usd=sum((run.cost_usd for run in runs), Decimal(0)),
        runs=len(runs),
        held=sum(run.status == "passed" for run in runs),
    )
