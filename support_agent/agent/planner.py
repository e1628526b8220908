"""The plan of a turn: one cheap call with structured output. What cannot be parsed becomes a careful plan of ours."""

from __future__ import annotations

import json
from typing import Any

from support_agent.agent import extras
from support_agent.agent.calls import Recorder, call_with_fallback, summary_of
from support_agent.agent.notices import append_notice
from support_agent.agent.pictures import newest_words
from support_agent.agent.types import Json, ModelRequest, Plan, PlanStep, StepKind, Tier, TurnInput, WiderPlan

SCHEMA = Plan.model_json_schema()


async def make_plan(turn: TurnInput, recorder: Recorder) -> Plan:
    """Ask the small model for the plan, and record it as a step. Raises ModelFailure when no tier answers."""
    config = recorder.config
    _, tokens_left = recorder.ports.budget.remaining()
    messages: list[Json] = [*turn.history, newest_words(turn)]
    offered = extras.plannable(turn)
    facts = f"{turn.notice}\ntokens left for this turn: {tokens_left}\n{extras.told(offered)}"
    append_notice(messages, facts.strip())
    request = ModelRequest(
        tier=Tier.SMALL,
        system=config.prompt("planner").text,
        messages=messages,
        max_tokens=config.planner_max_tokens,
        output_schema=extras.with_tools(SCHEMA, offered),
        timeout_s=config.planner_timeout_s,
        lasting=len(turn.history) + 1,
    )
    await recorder.ports.text.activity("thinking", "Reading your message")
    reply = await call_with_fallback(recorder, StepKind.PLAN, request)
    error = ""
    try:
        plan = _read(reply.text, wider=bool(offered))
    except ValueError as problem:
        plan, error = _careful_plan(), f"the plan could not be read: {str(problem)[:200]}"
    if tokens_left < config.short_of_tokens:
        plan = plan.model_copy(update={"steps": [step for step in plan.steps if step.priority == "required"]})
    recorder.state.plan = plan.model_dump()
    await recorder.step(
        StepKind.PLAN,
        model=reply.model,
        input=summary_of(request),
        output=recorder.state.plan,
        status="failed" if error else "ok",
        error=error,
        spend=reply.spend,
        duration_ms=reply.duration_ms,
        ttft_ms=reply.ttft_ms,
    )
    return plan


def plan_of(written: Json) -> Plan:
    """A plan from a checkpoint, with or without names of tools."""
    return (WiderPlan if "tools" in written else Plan).model_validate(written)


def _read(text: str, *, wider: bool) -> Plan:
    """The plan as it was written, cut to size: the API keeps no lengths. Raises ValueError when it is none."""
    written = json.loads(text)
    if isinstance(written, dict) and isinstance(written.get("steps"), list):
        steps = [_cut(step, description=300) for step in written["steps"][:10]]
        written = {**_cut(written, goal=500, topic=80), "steps": steps}
        tools = written.pop("tools", None)  # of a recorded plan whose tools are gone, too
        if wider:
            written["tools"] = tools[:10] if isinstance(tools, list) else []
    return (WiderPlan if wider else Plan).model_validate(written)


def _cut(fields: Any, **lengths: int) -> Any:
    if not isinstance(fields, dict):
        return fields
    return {
        name: value[: lengths[name]] if name in lengths and isinstance(value, str) else value
        for name, value in fields.items()
    }


def plan_notice(plan: Plan) -> str:
    """What the executor is told of the plan. Only closed words: the plan's free text echoes the customer."""
    steps = ", ".join(f"{step.type}{'' if step.priority == 'required' else ' (optional)'}" for step in plan.steps)
    scope = "" if plan.in_scope else "\nin scope: no"
    return f"plan: subject {plan.subject}; steps {steps}{scope}"


def _careful_plan() -> Plan:
    return Plan(
        goal="Understand and answer the newest message.",
        topic="unknown",
        subject="technical",
        in_scope=True,
        complexity="medium",
        confidence=0.5,
        steps=[
            PlanStep(type="gather_info", priority="required", description="Look up what the answer needs."),
            PlanStep(type="answer", priority="required", description="Answer from what was found."),
        ],
        is_complete=False,
    )
