"""The release gate: whether a prompt version has passed the evaluation cases as they, the code and the other prompts
are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from support_agent.env import env
from support_agent.models import EvalRun, PromptVersion, RunState
from support_agent.runtime.code_version import code_version, parsed
from support_agent.runtime.eval_rows import LIVE

DEMO, MODELS = "demo", "live"
"""The built-in demo model, and the configured models, each for its tier."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`why` is a sentence for whoever wants to activate the version; `run` is the one that decided."""

    state: Literal["none", "running", "passed", "failed"]
    run: EvalRun | None
    why: str


def gate_model() -> str:
    """Who tries a version: the configured models where there is a key and a budget, else the demo model."""
    is_real = not env.demo and not env.demo_model and env.evals_gate_usd > 0
    return MODELS if is_real else DEMO


def gate_of(version: PromptVersion) -> Gate:
    """What the gate says of this version now; three small queries."""
    runs = EvalRun.objects.filter(kind=EvalRun.Kind.GATE, prompt=version, suite="").order_by("-created_at")
    newest = runs.exclude(state__in=LIVE).first()
    live = runs.filter(state__in=LIVE).first()
    stale = _stale(newest, version) if newest else ""
    if newest and newest.is_passed and not stale:
        return Gate("passed", newest, f"It has passed the evaluation: {_counts(newest)}.")
    if live:
        return Gate("running", live, "It is being evaluated now." if live.started_at else "It waits to be evaluated.")
    if newest is None:
        return Gate("none", None, "It has not been evaluated.")
    if stale:
        return Gate("none", newest, f"It was evaluated, but {stale} since: evaluate it again.")
    return Gate("failed", newest, _failure(newest))


def _stale(run: EvalRun, version: PromptVersion) -> str:
    """What has changed since the run, as the middle of a sentence; '' when it still tells something."""
    now, then = code_version(), parsed(run.code)
    if run.state != RunState.DONE:
        return ""
    if then is None or then.sources != now.sources:
        return "the code has changed"
    if then.cases != now.cases:
        return "the evaluation cases have changed"
    if run.model != gate_model():
        return "another model speaks"
    if run.summary.get("models", configured()) != configured():
        return "the configured models have changed"
    active = dict(PromptVersion.objects.filter(is_active=True).values_list("name", "number"))
    others = {name: number for name, number in run.prompts.items() if name != version.name}
    if changed := sorted(name for name, number in others.items() if active.get(name) != number):
        return f"the prompt {changed[0]} has changed"
    return ""


def configured() -> list[str]:
    """The models of the three tiers, small to large."""
    return [env.agent_model_small, env.agent_model_medium, env.agent_model_large]


def _counts(run: EvalRun) -> str:
    summary = run.summary
    judged = summary.get("passed", 0) + summary.get("failed", 0)
    return f"{summary.get('passed', 0)} of {judged} cases passed with the {_named(run.model)}"


def _named(model: str) -> str:
    return {DEMO: "demo model", MODELS: "configured models"}.get(model, model)


def _failure(run: EvalRun) -> str:
    if run.state == RunState.FAILED:
        return f"The evaluation could not be run: {run.error}"
    if left := run.summary.get("over_budget", 0):
        return f"The evaluation's budget ran out before {left} cases were run; {_counts(run)}."
    return f"It fails the evaluation: only {_counts(run)}."
