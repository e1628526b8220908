"""Replay: an ended turn taken again, from any step, with another prompt version or model; side effects are simulated.

The engine is the same; its ports are those of replay_ports and replay_tools. Nothing is written but the replay's own
row, and what its model calls cost counts towards the surface *background* and the system's hour, not its customer.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext

from support_agent.agent.config import EngineConfig
from support_agent.agent.loop import run_turn
from support_agent.agent.types import ModelPort, Outcome, Ports, Surface, Tier
from support_agent.env import env
from support_agent.llm.pricing import is_priced
from support_agent.models import Replay, Step, Turn
from support_agent.runtime.blast_change import change_of, routed
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.controls import controls
from support_agent.runtime.house import house_lines
from support_agent.runtime.pictures import Seeing
from support_agent.runtime.replay_past import Past, past_of
from support_agent.runtime.replay_ports import (
    NeverStopped,
    Purse,
    ReplayBudget,
    ReplayModel,
    ReplaySteps,
    TakeOver,
    Unread,
    settle_replay,
)
from support_agent.runtime.replay_prompts import prompt_wanted, prompts_then
from support_agent.runtime.replay_tools import ReplayTools
from tickets.access import require_role
from tickets.db import in_db
from tickets.errors import DeskError, NotFound
from tickets.languages import speaking
from tickets.models import Role, User
from tickets.queue import enqueue
from tickets.services.audit import audit
from tickets.workspace import workspace

if TYPE_CHECKING:
    from support_agent.llm.client import ModelClient

log = structlog.get_logger(__name__)
STARTERS = (Role.LEAD, Role.OPS, Role.ADMIN)
ENDED = [Turn.State.ANSWERED, Turn.State.ESCALATED, Turn.State.FAILED]
MOST_S = 270.0  # a job has 300
SIZES = tuple(tier.value for tier in Tier)
DEAD = timedelta(minutes=10)


class CannotReplay(DeskError):
    """What was asked for cannot be replayed; the message says what is wrong with it."""

    code = "cannot_replay"


@transaction.atomic
def replay_create(
    *, turn_id: UUID, from_step: int = 0, model: str = "", prompt: str = "", staff: User | None = None
) -> Replay:
    """A replay to be run. Raises NotFound, NotAllowed, or CannotReplay (UnknownPrompt) for what cannot be."""
    if staff is not None:
        require_role(staff, *STARTERS)
    turn = Turn.objects.filter(pk=turn_id).first()
    if turn is None:
        raise NotFound("There is no such turn.")
    if turn.state not in ENDED:
        raise CannotReplay("This turn has not ended yet; only an ended turn can be replayed.")
    last = Step.objects.filter(turn=turn).aggregate(last=Max("index"))["last"]
    if from_step and (last is None or not 0 <= from_step <= last):
        upto = "none" if last is None else f"0 to {last}"
        raise CannotReplay(f"There is no step {from_step}; this turn's steps are {upto}.")
    if prompt:
        prompt_wanted(prompt)
    made = Replay.objects.create(
        turn=turn, from_step=from_step, model=_model_wanted(model), prompt_version=prompt.strip()[:40], asked_by=staff
    )
    if staff is not None:
        changes = {
            "turn": (None, turn.pk),
            "from_step": (None, from_step),
            "model": (None, model),
            "prompt": (None, prompt),
        }
        audit(actor=staff, action="replay.start", obj=made, changes=changes)
    return made


@transaction.atomic
def replay_enqueue(*, turn_id: UUID, staff: User, from_step: int = 0, model: str = "", prompt: str = "") -> Replay:
    """As replay_create, and a worker runs it."""
    made = replay_create(turn_id=turn_id, from_step=from_step, model=model, prompt=prompt, staff=staff)
    enqueue(run_replay_job, str(made.pk), queue="long")
    return made


def run_replay_job(replay_id: str) -> None:
    """The job; a second one for the same replay does nothing."""
    asyncio.run(run_replay(UUID(replay_id)))


async def run_replay(
    replay_id: UUID, model: ModelPort | None = None, *, purse: Purse | None = None, most_s: float = MOST_S
) -> Replay:
    """Run a queued replay to its end and answer its row; faults end as `failed` with what they were."""
    replay = await in_db(_claim, replay_id)
    if replay is None:
        return await in_db(Replay.objects.get, pk=replay_id)
    client = None if model else client_for(replay.model)
    started, error = time.perf_counter(), ""
    try:
        async with asyncio.timeout(most_s):
            error = await _run(replay, model or client, purse)  # type: ignore[arg-type]
    except TimeoutError:
        error = f"It took more than {most_s:.0f} s."
    except Exception as problem:
        log.exception("replay_failed", replay_id=str(replay_id))
        error = f"{type(problem).__name__}: {problem}"
    finally:
        if client is not None:
            await client.aclose()
        took = round((time.perf_counter() - started) * 1000)
        await in_db(_end, replay, error, took)
    return await in_db(Replay.objects.select_related("turn").get, pk=replay_id)


async def _run(replay: Replay, model: ModelPort, purse: Purse | None) -> str:
    """Run the engine; what went wrong with the replay itself, or ''."""
    past, change = await in_db(past_of, replay.turn), change_of(replay)
    start = await in_db(routed, past.start, change, past.then.customer_id)
    config, notes = await in_db(_config, replay, past)
    limits = (await in_db(controls)).limits
    taken = TakeOver(past.steps, replay.from_step)
    tools = ReplayTools(past.steps, past.then, replay.pk, change, tools=await in_db(catalogue))
    steps, budget = ReplaySteps(replay, tools, taken), ReplayBudget(replay, limits[Surface.BACKGROUND], taken, purse)
    ports = Ports(
        model=ReplayModel(Seeing(model, replay.turn.conversation_id), taken, config),
        tools=tools,
        steps=steps,
        text=Unread(),
        budget=budget,
        stop=NeverStopped(),
    )
    config = replace(config, say=gettext, step_cap=limits[start.surface].steps)
    with speaking(start.locale):
        outcome = await run_turn(start, ports, config)
    if taken.parted_at is not None:
        notes.append(f"From step {taken.parted_at} on today's code went another way, so the rest was run anew.")
    if past.turn.stop_requested:
        notes.append("The original was ended from outside; nobody ends a replay.")
    await in_db(_keep, replay, outcome, notes)
    return f"The {budget.reached} limit of replays is reached; see the budgets." if budget.reached else ""


def _config(replay: Replay, past: Past) -> tuple[EngineConfig, list[str]]:
    """The prompts of that time under those asked for, and what could not be had again."""
    found, notes = prompts_then(past.turn, past.then.moment)
    if replay.prompt_version:
        for name, wanted in prompt_wanted(replay.prompt_version).items():
            found.pop(name, None)
            if wanted is not None:
                found[name] = wanted
            notes = notes if name not in ("assistant", "assist") else []
    return EngineConfig(prompts=found, house=house_lines(workspace())), notes


def _claim(replay_id: UUID) -> Replay | None:
    mine = Replay.objects.filter(pk=replay_id, state=Replay.State.QUEUED)
    if not mine.update(state=Replay.State.RUNNING, started_at=timezone.now()):
        return None
    return Replay.objects.select_related("turn__conversation__customer", "radius").get(pk=replay_id)


def _keep(replay: Replay, outcome: Outcome, notes: list[str]) -> None:
    Replay.objects.filter(pk=replay.pk).update(
        outcome=outcome.state, text=outcome.text, sources=list(outcome.sources), notes=notes
    )


def _end(replay: Replay, error: str, took_ms: int) -> None:
    settle_replay(replay, Decimal(0))  # a call that was cut before its step has settled itself; what is left was none
    state = Replay.State.FAILED if error else Replay.State.DONE
    Replay.objects.filter(pk=replay.pk, state=Replay.State.RUNNING).update(
        state=state, error=error.splitlines()[0][:300] if error else "", duration_ms=took_ms, finished_at=timezone.now()
    )


def replays_repair() -> int:
    """What died with its worker has failed; how many."""
    dead = Replay.objects.filter(state=Replay.State.RUNNING, started_at__lt=timezone.now() - DEAD)[:100]
    for replay in dead:
        _end_dead(replay)
    return len(dead)


def _end_dead(replay: Replay) -> None:
    """The call that died with its worker cost something: what it had reserved is charged."""
    lost = Decimal(replay.reservation["usd"]) if replay.reservation else Decimal(0)
    settle_replay(replay, lost)
    Replay.objects.filter(pk=replay.pk, state=Replay.State.RUNNING).update(
        state=Replay.State.FAILED, error="The worker died.", cost_usd=replay.cost_usd + lost, finished_at=timezone.now()
    )


def configured_models() -> dict[Tier, str]:
    """The model of each size, as configured."""
    return {
        Tier.SMALL: env.agent_model_small,
        Tier.MEDIUM: env.agent_model_medium,
        Tier.LARGE: env.agent_model_large,
    }


def client_for(model: str) -> ModelClient:
    """The configured client; `model` (a size or an id) answers every call, '' as planned. The demo makes no pauses."""
    sizes = configured_models()
    one = sizes[Tier(model)] if model in SIZES else model
    # Here, not above: pages import this module, and the SDK costs each process a second and 66 MB.
    from support_agent.llm.client import build_client
    from support_agent.llm.demo import DemoTransport

    demo = env.demo_model
    return build_client(
        api_key=env.anthropic_api_key.get_secret_value() or "demo",
        base_url="" if demo else env.anthropic_base_url,
        small=one or sizes[Tier.SMALL],
        medium=one or sizes[Tier.MEDIUM],
        large=one or sizes[Tier.LARGE],
        transport=DemoTransport(words_per_second=0) if demo else None,
    )


def _model_wanted(model: str) -> str:
    """Checked: a size, a configured id, or one that has a price (with a gateway, any). Raises CannotReplay."""
    model = model.strip()
    if not model or model in SIZES or model in configured_models().values():
        return model
    known = is_priced(model) or (env.anthropic_base_url and not env.demo_model)
    if not known or len(model) > 60:
        sizes = ", ".join(f"{tier} ({name})" for tier, name in configured_models().items())
        raise CannotReplay(f"There is no model “{model[:60]}”; take {sizes}, or another id of the API.")
    return model
