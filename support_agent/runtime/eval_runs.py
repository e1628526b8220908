"""Runs of the evaluation cases: asked for by staff, by the release gate, by the clock or by command.

eval_rows    what a run writes                eval_job     runs one in a process of its own
eval_gate    whether a version may speak      eval_nightly  by the clock, and what got worse
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Required, TypedDict, Unpack

from django.db import transaction

from support_agent.env import BASE_DIR, env
from support_agent.llm.pricing import is_priced
from support_agent.models import EvalRun, PromptVersion, SavedCase
from support_agent.runtime.code_version import CASES
from support_agent.runtime.eval_gate import DEMO, MODELS, Gate, configured, gate_model, gate_of
from support_agent.runtime.eval_job import run_evals_job
from support_agent.runtime.eval_rows import (
    LIVE,
    one_at_a_time,
    run_claim,
    run_ended,
    run_failed,
    run_recorded,
    run_started,
    runs_repair,
)
from tickets.access import require_role
from tickets.errors import DeskError
from tickets.models import Role, User
from tickets.queue import enqueue
from tickets.services.audit import audit

__all__ = ["DEMO", "MODELS", "SAVED", "Gate", "gate_of", "run_claim", "run_create", "run_ended", "run_enqueue",
           "run_failed", "run_recorded", "run_started", "runs_repair", "suites", "thresholds_of"]  # fmt: skip
STARTERS = (Role.LEAD, Role.OPS, Role.ADMIN)
MOST_REPEATS = 20
MOST_USD = Decimal(100)
SAVED = "saved"  # the suite of cases in the database
THRESHOLDS = {"pass": 0.90, "adversarial": 0.95}
ALL = {"pass": 1.0, "adversarial": 1.0}
Kind = EvalRun.Kind


class CannotEvaluate(DeskError):
    """What was asked for cannot be run; the message says what is wrong with it."""

    code = "cannot_evaluate"


class Asked(TypedDict, total=False):
    """What run_create takes."""

    kind: Required[str]
    suite: str
    model: str
    repeat: int
    prompt: PromptVersion | None
    budget_usd: Decimal | None
    staff: User | None
    thresholds: Mapping[str, float] | None


@transaction.atomic
def run_create(
    *,
    kind: str,
    suite: str = "",
    model: str = DEMO,
    repeat: int = 1,
    prompt: PromptVersion | None = None,
    budget_usd: Decimal | None = None,
    staff: User | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> EvalRun:
    """A run that waits. The gate decides about its model and budget itself. Raises NotAllowed, CannotEvaluate."""
    if staff is not None:
        require_role(staff, *STARTERS)
    if kind == Kind.GATE:
        one_at_a_time()
        _check_gate(prompt, suite)
        model = gate_model()
        budget_usd = None if model == DEMO else budget_usd or env.evals_gate_usd
    model, suite = model_wanted(model), suite.strip()
    if not _is_known(suite):
        raise CannotEvaluate(f"There is no suite or case “{suite[:80]}”; the suites are {', '.join(suites())}.")
    if not 1 <= repeat <= MOST_REPEATS:
        raise CannotEvaluate(f"A case can be run 1 to {MOST_REPEATS} times.")
    made = EvalRun.objects.create(
        kind=kind,
        suite=suite,
        model=model,
        repeat=repeat,
        prompt=prompt,
        budget_usd=_budget(model, budget_usd),
        thresholds=dict(thresholds or thresholds_of(model)),
        asked_by=staff,
    )
    if staff is not None:
        asked = {"kind": kind, "suite": suite, "model": model, "repeat": repeat, "prompt": prompt}
        changes = {**asked, "budget_usd": made.budget_usd}
        audit(actor=staff, action="evals.start", obj=made, changes={name: (None, v) for name, v in changes.items()})
    return made


@transaction.atomic
def run_enqueue(**asked: Unpack[Asked]) -> EvalRun:
    """As run_create, and a worker runs it."""
    made = run_create(**asked)
    enqueue(run_evals_job, str(made.pk), queue="evals")
    return made


def thresholds_of(model: str) -> dict[str, float]:
    """What a run has to reach unless it says otherwise: shares of all cases, and of the adversarial ones."""
    return dict(ALL if model == DEMO else THRESHOLDS)


def suites() -> list[str]:
    """The themes of the files, and the saved cases."""
    return [*sorted(path.stem for path in (BASE_DIR / CASES).glob("*.yaml")), SAVED]


def model_wanted(model: str) -> str:
    """Checked: demo, live (the configured ones, each for its tier), or an id of the API. Raises CannotEvaluate."""
    model = model.strip()
    if model == DEMO:
        return model
    known = model in (MODELS, *configured()) or is_priced(model) or bool(env.anthropic_base_url)
    if not known or not model or len(model) > 60:
        raise CannotEvaluate(f"There is no model “{model[:60]}”; take demo, live or an id of the API.")
    if env.demo_model:
        raise CannotEvaluate("Without ANTHROPIC_API_KEY only the demo model can be evaluated.")
    return model


def _check_gate(prompt: PromptVersion | None, suite: str) -> None:
    if prompt is None or suite:
        raise CannotEvaluate("The gate tries one version of a prompt, with all cases.")
    if EvalRun.objects.filter(kind=Kind.GATE, prompt=prompt, state__in=LIVE).exists():
        raise CannotEvaluate(f"Version {prompt.number} of {prompt.name} is being evaluated already.")


def _budget(model: str, usd: Decimal | None) -> Decimal | None:
    """What it may spend; the demo model spends nothing, and so needs none."""
    if model == DEMO and usd is None:
        return None
    if usd is None or not 0 < usd <= MOST_USD:
        raise CannotEvaluate(f"A real model costs money: it needs a budget of up to {MOST_USD} USD.")
    return usd.quantize(Decimal("0.01"))


def _is_known(suite: str) -> bool:
    """Whether there are cases of this name: a theme's, the saved ones, or a single case."""
    if suite in ("", *suites()):
        return True
    if not re.fullmatch(r"[a-z0-9-]{1,80}", suite):
        return False
    entry = re.compile(rf"^-\s+(?:\{{\s*)?id:\s*{suite}\b(?!-)", re.M)
    files = (path.read_text(encoding="utf-8") for path in (BASE_DIR / CASES).glob("*.yaml"))
    return any(map(entry.search, files)) or SavedCase.objects.filter(name=suite).exists()
