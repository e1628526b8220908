"""Running cases: each in its own world, graded, several at once, within a budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from time import perf_counter
from typing import Literal

import structlog
from django.db import DatabaseError

from support_agent.agent.types import Json, ModelPort, Usage
from support_agent.env import env
from support_agent.evals.cases import Case
from support_agent.evals.cassettes import know_names, taped, wired
from support_agent.evals.grade import Observed, grade, observe, outcome_of
from support_agent.evals.play import play
from support_agent.evals.purse import CUT, OVER, Metered, Purse
from support_agent.evals.said import said, used
from support_agent.evals.simulated import Simulated, simulate
from support_agent.evals.world import World, build, clear
from support_agent.llm.client import build_client
from support_agent.llm.demo import DemoTransport
from support_agent.runtime.eval_runs import DEMO, MODELS
from tickets.db import in_db

TIMEOUT_S = 120.0
RULES, MODEL = "rules", "model"  # who plays the simulated customers
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How one case went; `failures` say what was expected and what came instead.

    A case that ran several times has passed when every run has (pass^k); `held` of its `runs` did. `thread` is what
    was said in the run that speaks for it, and `is_cut` that the budget did not let it (all) run.
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
    outcome: str = ""
    tools: tuple[str, ...] = ()
    thread: tuple[Json, ...] = field(default=(), repr=False)
    usage: Usage = field(default_factory=Usage)
    is_cut: bool = False
    customer_usd: Decimal = Decimal(0)  # what a model cost that played the customer: part of a run's budget


async def _nothing(result: Result) -> None:
    """Nobody wants to hear of it yet."""


@asynccontextmanager
async def model_named(name: str = DEMO) -> AsyncIterator[ModelPort]:
    """The demo model without its pauses, the configured models (`live`), or one of the API for all tiers."""
    one = "" if name in (DEMO, MODELS) else name
    options = wired(
        api_key="demo" if name == DEMO else env.anthropic_api_key.get_secret_value(),
        base_url="" if name == DEMO else env.anthropic_base_url,
        small=one or env.agent_model_small,
        medium=one or env.agent_model_medium,
        large=one or env.agent_model_large,
        transport=DemoTransport(words_per_second=0) if name == DEMO else None,
    )
    client = build_client(**options)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def player_named(name: str = RULES) -> AsyncIterator[ModelPort | None]:
    """What plays the simulated customers: the configured models of the API, or None for their own rules."""
    if name == RULES:
        yield None
        return
    async with model_named(MODELS) as player:
        yield player


async def run_cases(
    cases: Sequence[Case],
    model: ModelPort,
    *,
    is_demo: bool,
    repeat: int = 1,
    parallel: int = 4,
    purse: Purse | None = None,
    player: ModelPort | None = None,
    on_result: Callable[[Result], Awaitable[None]] = _nothing,
) -> list[Result]:
    """Run them, `parallel` at a time, in their order; those that change the help centre alone, at the end. With a
    `player`, that model speaks for the simulated customers."""
    slots = asyncio.Semaphore(parallel)

    async def one(case: Case) -> Result:
        async with slots:
            if case.needs and is_demo:
                result = Result(case, "skipped", (f"needs {case.needs}: {case.why}",), runs=0)
            else:
                result = await _repeated(case, model, repeat, purse, player, is_free=is_demo and player is not None)
        await on_result(result)
        return result

    shared = [case for case in cases if not case.articles]
    found = {result.case.id: result for result in await asyncio.gather(*map(one, shared))}
    for case in cases:
        if case.id not in found:
            found[case.id] = await one(case)
    return [found[case.id] for case in cases]


async def _repeated(
    case: Case, model: ModelPort, repeat: int, purse: Purse | None, player: ModelPort | None, *, is_free: bool
) -> Result:
    """A case's runs as one result; with a purse none starts that could pass it. When the assistant `is_free`, only
    who plays the customer is paid from it."""
    if purse is None:
        played = [await run_case(case, model, number=number, player=player) for number in range(repeat)]
        return _together(played)
    is_unpaid = is_free and case.persona is None
    most = Decimal(0) if is_unpaid else Decimal(str(case.max_cost_usd)) * repeat
    async with purse.room(most) as room:
        if room is None:
            return Result(case, "skipped", (OVER,), runs=0, is_cut=True)
        runs: list[Result] = []
        while len(runs) < repeat and not (runs and runs[-1].is_cut):
            metered = Metered(model, purse, room)
            spoken = Metered(player, purse, room) if player else None
            run = await run_case(case, model if is_free else metered, number=len(runs), player=spoken)
            is_cut = metered.cut or bool(spoken and spoken.cut)
            runs.append(replace(run, status="skipped", failures=(CUT,), held=0, is_cut=True) if is_cut else run)
    return _together(runs)


async def run_case(
    case: Case, model: ModelPort, *, is_demo: bool = False, number: int = 0, player: ModelPort | None = None
) -> Result:
    """Run and grade one case in the throw-away database; `number` counts its repetitions."""
    if case.needs and is_demo:
        return Result(case, "skipped", (f"needs {case.needs}: {case.why}",), runs=0)
    with taped(case.id):
        return await _run_case(case, model, number, player)


async def _run_case(case: Case, model: ModelPort, number: int, player: ModelPort | None) -> Result:
    started = perf_counter()
    world = await in_db(build, case)
    await in_db(know_names, world.things)
    try:
        played, broken = await _played(case, world, model, number, player)
        observed: Observed = await in_db(observe, world, played.rejected)
        failures = [broken] if broken else [*await in_db(grade, case, world, observed), *played.failures]
        thread, usage = played.said or await in_db(said, world), await in_db(used, world)
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
        outcome=outcome_of(observed, case.expect.outcome),
        tools=tuple(observed.tools),
        thread=tuple(thread),
        usage=usage,
        customer_usd=played.cost_usd,
    )


async def _played(
    case: Case, world: World, model: ModelPort, number: int, player: ModelPort | None
) -> tuple[Simulated, str]:
    """(what the customer made of it, what kept the case from being played, or '')."""
    seconds = _time_for(case)
    try:
        async with asyncio.timeout(seconds):
            if case.persona is None:
                return Simulated(rejected=await play(case, world, model)), ""
            return await simulate(case, world, model, number=number, player=player), ""
    except TimeoutError:
        return Simulated(), f"it took more than {seconds:.0f} s"
    except DatabaseError:
        raise  # every other case would end so too
    except Exception as problem:  # one case that cannot be played must not take the others with it
        log.exception("case_broke", case=case.id)
        return Simulated(), f"it could not be played: {type(problem).__name__}: {problem}"


def _time_for(case: Case) -> float:
    """Seconds; a simulated customer has them for every message."""
    return TIMEOUT_S if case.persona is None else max(TIMEOUT_S, 45 * case.persona.patience)


def _together(runs: Sequence[Result]) -> Result:
    """Several runs of a case as one result: the first that failed speaks for them, times and costs add up.

    One that the budget cut is skipped, unless a run before had failed already.
    """
    speaks = next((run for run in runs if run.status == "failed"), runs[-1] if runs[-1].is_cut else runs[0])
    return replace(
        speaks,
        seconds=sum(run.seconds for run in runs),
        cost_usd=sum((run.cost_usd for run in runs), Decimal(0)),
        customer_usd=sum((run.customer_usd for run in runs), Decimal(0)),
        usage=sum((run.usage for run in runs), Usage()),
        runs=sum(run.runs for run in runs if not run.is_cut),
        held=sum(run.held for run in runs),
        is_cut=runs[-1].is_cut,
    )
