"""The turn: plan, then execute and observe until there is an answer or a person is needed. It reads as prose.

Every way out is an Outcome; the only exceptions that leave are TurnLost (the turn is no longer ours) and bugs.
"""

from __future__ import annotations

from decimal import Decimal

from support_agent.agent.calls import Recorder
from support_agent.agent.config import EngineConfig
from support_agent.agent.critic import Issue, cited, revision_notice
from support_agent.agent.errors import LimitReached, TurnStopped
from support_agent.agent.evidence import Evidence, evidence_of
from support_agent.agent.executor import Answer, ask_model, run_tools
from support_agent.agent.notices import append_notice
from support_agent.agent.observer import observe, point_out
from support_agent.agent.planner import make_plan, plan_notice
from support_agent.agent.routing import READ, fast_path, tier, toolset
from support_agent.agent.types import (
    Block,
    EscalationWish,
    ModelFailure,
    Outcome,
    Ports,
    Spend,
    StepKind,
    Tier,
    TurnInput,
    TurnState,
    Usage,
)
from support_agent.agent.words import HANDOVER, UNSURE

__all__ = ["run_turn"]


async def run_turn(turn: TurnInput, ports: Ports, config: EngineConfig, state: TurnState | None = None) -> Outcome:
    """Run one turn, from the start or from a checkpoint; see Outcome for how it can end."""
    resumed = state is not None
    recorder = Recorder(ports, state or TurnState(), config)
    try:
        if resumed:
            await _show_again(recorder)
        await _prepare(turn, recorder)
        return await _converse(turn, recorder)
    except LimitReached as limit:
        return await _hand_over(recorder, "budget", str(limit))
    except ModelFailure as failure:
        return await _hand_over(recorder, "model_failing", str(failure))
    except TurnStopped as stop:
        return _stopped(recorder, stop.why)


async def _prepare(turn: TurnInput, recorder: Recorder) -> None:
    """Choose path, tier and tools; a resumed turn has them already."""
    state = recorder.state
    if state.path:
        return
    notice = turn.notice
    if reason := fast_path(turn):
        state.path, state.tier, state.tools = "fast", Tier.SMALL, list(READ)
        await recorder.step(StepKind.OBSERVE, output={"path": "fast", "reason": reason})
    else:
        plan = await make_plan(turn, recorder)
        state.path, state.tier, state.tools = "planned", tier(plan), list(toolset(plan, turn))
        notice = f"{notice}\n{plan_notice(plan)}".strip()
    state.messages = [{"role": "user", "content": turn.text}]
    if notice:
        append_notice(state.messages, notice)


async def _converse(turn: TurnInput, recorder: Recorder) -> Outcome:
    """Ask, run the tools asked for, observe; until the model has nothing left to ask for."""
    state = recorder.state
    evidence = _evidence(turn, state)
    while not state.done:
        if uses := _open_tool_uses(state):
            await run_tools(uses, recorder, evidence)
            if (outcome := await _observe(recorder)) is not None:
                return outcome
        answer = await _accepted_answer(turn, recorder, evidence)
        if answer is None:
            return await _hand_over(recorder, "unsure", "the answer could not be backed by records", flagged=True)
        if answer.reply.stop_reason == "refusal":
            return await _hand_over(recorder, "safety", "the model refused")
        if answer.reply.stop_reason == "model_context_window_exceeded":
            return await _hand_over(recorder, "budget", "the conversation no longer fits the model")
    return await _finish(recorder)


async def _accepted_answer(turn: TurnInput, recorder: Recorder, evidence: Evidence) -> Answer | None:
    """A call whose text holds, after at most two revisions; None when it never does. Its shown text is withdrawn."""
    state = recorder.state
    for attempt in range(recorder.config.revisions + 1):
        try:
            answer = await ask_model(turn, recorder, evidence)
        except ModelFailure as failure:
            if not (failure.text_shown and failure.retryable and attempt < recorder.config.revisions):
                raise
            await _show_again(recorder)  # a broken stream: what was shown of it goes, and it is asked again
            continue
        if not answer.issues:
            return answer
        await _show_again(recorder)
        if answer.reply.stop_reason == "refusal":
            return answer
        await recorder.step(StepKind.CRITIC, status="failed", output=_rejection(answer, answer.issues))
        append_notice(state.messages, revision_notice(answer.issues))
    return None


async def _observe(recorder: Recorder) -> Outcome | None:
    verdict = observe(recorder.state, recorder.config)
    if verdict.decision == "continue":
        return None
    await recorder.step(
        StepKind.OBSERVE, output={"decision": verdict.decision, "rule": verdict.rule}, status=verdict.decision
    )
    if verdict.decision == "notice":
        point_out(recorder.state, recorder.config)
        append_notice(recorder.state.messages, verdict.notice)
        return None
    return await _hand_over(recorder, verdict.reason, f"stopped by the rule “{verdict.rule}”")


async def _finish(recorder: Recorder) -> Outcome:
    """The model is done: its texts are the answer. Silence is no answer."""
    state = recorder.state
    text = "\n\n".join(state.texts)
    if not text:
        return await _hand_over(recorder, "unsure", "the model answered with nothing")
    sources = cited(text, state.sources)
    await recorder.step(
        StepKind.CRITIC, output={"accepted": True, "sources": [source["n"] for source in sources], "chars": len(text)}
    )
    return Outcome("escalated" if state.escalated else "answered", text, sources, spend=_spend(state))


async def _hand_over(recorder: Recorder, reason: str, detail: str, *, flagged: bool = False) -> Outcome:
    """A safe text of ours in place of the model's, and a person."""
    await _show_again(recorder)
    state = recorder.state
    await recorder.step(
        StepKind.ESCALATE, output={"reason": reason, "flagged": flagged}, error=detail, status="escalated"
    )
    text = "\n\n".join([*state.texts, UNSURE if reason == "unsure" else HANDOVER])
    wish = None if state.escalated else EscalationWish(reason, detail)
    return Outcome("escalated", text, cited(text, state.sources), wish, _spend(state))


def _stopped(recorder: Recorder, why: str) -> Outcome:
    """Ended from outside. The sink knows what had been shown; after a take-over nothing more is said."""
    return Outcome("answered" if why == "stop" else "escalated", "", spend=_spend(recorder.state))


async def _show_again(recorder: Recorder) -> None:
    """Withdraw what is shown and show the texts that stand, as a new message."""
    await recorder.ports.text.retract()
    if recorder.state.texts:
        await recorder.ports.text.show("\n\n".join(recorder.state.texts))


def _evidence(turn: TurnInput, state: TurnState) -> Evidence:
    own_words = [message["content"] for message in turn.history if message["role"] == "user"]
    return evidence_of([turn.notice, *turn.evidence, *state.evidence], [*own_words, turn.text])


def _open_tool_uses(state: TurnState) -> list[Block]:
    """The newest reply's tool calls that have no result yet: after a fresh reply, or in a resumed turn."""
    newest = state.messages[-1]
    if newest["role"] != "assistant":
        return []
    return [block for block in newest["content"] if block["type"] == "tool_use"]


def _rejection(answer: Answer, issues: list[Issue]) -> dict[str, object]:
    return {"accepted": False, "issues": [issue.as_json() for issue in issues], "text": answer.text}


def _spend(state: TurnState) -> Spend:
    return Spend(Usage(), Decimal(state.cost_usd))
