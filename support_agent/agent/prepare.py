"""Before the first word: what the conversation remembers, what the message looks like, and how the turn will go."""

from __future__ import annotations

from dataclasses import replace

from support_agent.agent import confidence, extras
from support_agent.agent.calls import Recorder, without_thinking
from support_agent.agent.errors import LimitReached
from support_agent.agent.guard import guard
from support_agent.agent.memory import compress, cut, history, shorten
from support_agent.agent.notices import append_notice
from support_agent.agent.pictures import newest_words
from support_agent.agent.planner import make_plan, plan_notice, plan_of
from support_agent.agent.routing import (
    ASSIST_TIERS,
    LOOK,
    TOOLSETS,
    asks_for_person,
    fast_path,
    reading,
    tier,
    toolset,
)
from support_agent.agent.types import Block, ModelFailure, StepKind, StepRecord, Tier, TurnInput


async def remember(turn: TurnInput, recorder: Recorder) -> TurnInput:
    """The turn with its history: compressed when long, cut by code when the model cannot help or money is short."""
    if turn.memory is None:
        return turn
    if recorder.ports.budget.is_tight():
        return replace(turn, memory=None, history=history(shorten(turn.memory)))
    try:
        memory = await compress(turn.memory, recorder)
    except (ModelFailure, LimitReached):
        memory = turn.memory
    return replace(turn, memory=None, history=history(cut(memory)))


async def prepare(turn: TurnInput, recorder: Recorder) -> TurnInput:
    """Guard, route, plan, choose tier and tools; a resumed turn has them already. The text comes back normalised."""
    state = recorder.state
    guarded = guard(turn.text)
    turn = replace(turn, text=guarded.text or turn.text)
    if state.path:
        return turn
    state.cautious = guarded.cautious
    if guarded.reasons and not state.guarded:
        state.guarded = True
        output = {
            "score": guarded.score,
            "rules": guarded.rules,
            "likeness": guarded.likeness,
            "reasons": list(guarded.reasons),
            "cautious": guarded.cautious,
        }
        await recorder.step(StepKind.GUARD, output=output, status="flagged" if guarded.cautious else "ok")
    if turn.assist:
        return await _assist(turn, recorder)
    reason = "" if guarded.cautious or state.plan else fast_path(turn)
    if reason:
        state.path, state.tier, state.tools, notices = "fast", Tier.SMALL, list(reading(turn)), [turn.notice]
    else:
        notices = [turn.notice, *await _plan(turn, recorder)]
    state.messages = [newest_words(turn)]
    if notice := "\n".join(filter(None, notices)):
        append_notice(state.messages, notice)
    if reason:
        recorder.note(StepKind.OBSERVE, output={"path": "fast", "reason": reason})
    return turn


async def _assist(turn: TurnInput, recorder: Recorder) -> TurnInput:
    """A summary or draft for staff: the wish is plain, so nothing is planned, and whatever it says, tools only read."""
    state = recorder.state
    small = recorder.config.only_small or recorder.ports.budget.is_tight()
    state.path, state.tools = "assist", list(LOOK)
    state.tier = Tier.SMALL if small else ASSIST_TIERS[turn.assist]
    state.messages = [{"role": "user", "content": turn.text}]
    append_notice(state.messages, turn.notice)
    await recorder.step(StepKind.OBSERVE, output={"path": "assist", "reason": turn.assist})
    return turn


async def _plan(turn: TurnInput, recorder: Recorder) -> list[str]:
    """Plan the turn; what the executor is told of it, in our own words."""
    state = recorder.state
    plan = plan_of(state.plan) if state.plan else await make_plan(turn, recorder)
    state.path = "planned"
    small = recorder.config.only_small or recorder.ports.budget.is_tight()
    state.tier = Tier.SMALL if small else tier(plan)
    state.tools = list(reading(turn) if state.cautious else toolset(plan, turn))
    notices = [plan_notice(plan), recorder.config.prompt(f"specialists/{plan.subject}").text]
    if not confidence.planned(plan.confidence, plan.subject) and not asks_for_person(turn.text):
        state.doubtful, state.tools = True, list(reading(turn))
        notices.append(confidence.CLARIFY)
    return notices


def ease(recorder: Recorder) -> None:
    """Past a soft limit the turn goes on with the small model, without the other's thinking blocks."""
    state = recorder.state
    if state.tier != Tier.SMALL and recorder.ports.budget.is_tight():
        state.tier, state.messages = Tier.SMALL, without_thinking(state.messages)


def replan(turn: TurnInput, uses: list[Block], recorder: Recorder) -> list[StepRecord]:
    """A tool of another toolset was wanted: once a turn, a customer who may change things gets that toolset.

    The tools are part of the prefix that thinking blocks are bound to, so those go. Answers the step to write.
    """
    state = recorder.state
    if state.replanned or state.cautious or not (turn.verified and turn.mutations_allowed):
        return []
    for name in (use["name"] for use in uses if use["name"] not in state.tools):
        subject = next((subject for subject, tools in TOOLSETS.items() if name in tools and subject != "read"), "")
        own = [one for one in state.tools if one in {extra.name for extra in turn.extras}]
        if not subject and state.plan and any(name == extra.name for extra in turn.extras):
            subject, own = state.plan["subject"], [name, *own]
        tools = extras.fitted(TOOLSETS[subject], subject, turn, own, acting=True, keep=name) if subject else ()
        if name in tools:
            state.replanned, state.tools = True, list(tools)
            state.messages = without_thinking(state.messages)
            output = {"replanned": True, "subject": subject, "wanted": name}
            return [StepRecord(recorder.next_index(), StepKind.PLAN, output=output)]
    return []
