"""The turn: plan, then execute and observe until there is an answer or a person is needed. It reads as prose.

Every way out is an Outcome; the only exceptions that leave are TurnLost (the turn is no longer ours) and bugs.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from support_agent.agent.calls import Recorder, without_thinking
from support_agent.agent.config import EngineConfig
from support_agent.agent.critic import cited
from support_agent.agent.errors import LimitReached, TurnLost, TurnStopped
from support_agent.agent.evidence import Evidence, evidence_of
from support_agent.agent.executor import ask_model, run_tools
from support_agent.agent.memory import own_texts
from support_agent.agent.notices import append_notice
from support_agent.agent.observer import observe, point_out
from support_agent.agent.prepare import ease, prepare, remember, replan
from support_agent.agent.routing import asks_for_person
from support_agent.agent.types import (
    Block,
    EscalationWish,
    ModelFailure,
    Outcome,
    Ports,
    Spend,
    StepKind,
    TurnInput,
    TurnState,
    Usage,
)
from support_agent.agent.words import ASKED, HANDOVER, UNSURE
from support_agent.agent.wrapup import wrap_up

__all__ = ["run_turn"]


async def run_turn(turn: TurnInput, ports: Ports, config: EngineConfig, state: TurnState | None = None) -> Outcome:
    """Run one turn, from the start or from a checkpoint; see Outcome for how it can end."""
    recorder = Recorder(ports, state or TurnState(), config)
    try:
        if state is not None:
            # The history is rebuilt, so the prefix that thinking blocks are bound to may have changed.
            state.messages = without_thinking(state.messages)
            await _show_again(recorder)
            if state.handover:
                return await _hand_over(recorder)
        turn = await prepare(await remember(turn, recorder), recorder)
        if recorder.state.doubtful and turn.doubted and not recorder.state.done:
            recorder.state.hand_over("unsure", "unsure of what the customer wants, twice in a row")
        return await _converse(turn, recorder)
    except LimitReached as limit:
        return await _at_limit(turn, recorder, limit)
    except ModelFailure as failure:
        recorder.state.hand_over("model_failing", str(failure))
        return await _hand_over(recorder)
    except TurnStopped as stop:
        return _stopped(recorder, stop.why)
    except asyncio.CancelledError:
        # The customer's stop cancels whatever we wait for; any other cancellation means that nobody wants an outcome.
        task = asyncio.current_task()
        if ports.stop.requested() != "stop" or task is None:
            raise
        while task.uncancel():
            pass  # it may have been asked more than once
        return _stopped(recorder, "stop")


async def _converse(turn: TurnInput, recorder: Recorder) -> Outcome:
    """Ask, run the tools asked for, observe; until the model has nothing left to ask for, or a person is needed."""
    state = recorder.state
    evidence = _evidence(turn, state)
    while not (state.done or state.handover):
        if uses := _open_tool_uses(state):
            records = await run_tools(uses, recorder, evidence, drafted=turn.drafted)
            await recorder.record([*records, *replan(turn, uses, recorder)])
        await _observe(recorder)
        ease(recorder)
        await _best_answer(turn, recorder, evidence)
    return await _hand_over(recorder) if state.handover else await _finish(turn, recorder)


async def _best_answer(turn: TurnInput, recorder: Recorder, evidence: Evidence) -> None:
    """Ask until a call's text holds, twice again at most; what was shown of a call that is dropped is withdrawn."""
    state = recorder.state
    while not state.handover:
        try:
            answer = await ask_model(turn, recorder, evidence)
        except ModelFailure as failure:
            if not (failure.text_shown and failure.retryable and state.tries <= recorder.config.revisions):
                raise
            await _show_again(recorder)  # a broken stream: what was shown of it goes, and it is asked again
            continue
        if not answer.issues:
            return
        await _show_again(recorder)


async def _observe(recorder: Recorder) -> None:
    state = recorder.state
    verdict = observe(state, recorder.config)
    if verdict.decision == "continue":
        return
    if verdict.decision == "notice":
        point_out(state, recorder.config)
        append_notice(state.messages, verdict.notice)
    else:
        state.hand_over(verdict.reason, f"stopped by the rule “{verdict.rule}”")
    await recorder.step(
        StepKind.OBSERVE, output={"decision": verdict.decision, "rule": verdict.rule}, status=verdict.decision
    )


async def _finish(turn: TurnInput, recorder: Recorder) -> Outcome:
    """The model is done: its texts are the answer. Who asked for a person gets one, as does a second doubtful turn."""
    state = recorder.state
    if turn.mutations_allowed and not state.escalated and asks_for_person(turn.text):
        if state.texts and state.texts[-1].rstrip().endswith("?"):
            state.texts.pop()  # asking once is enough: no counter-question
        state.hand_over("asked", "the customer asked for a person")
        return await _hand_over(recorder)
    if state.person_wished and not state.escalated:
        state.hand_over(state.person_wished["reason"], state.person_wished["summary"])
        return await _hand_over(recorder)
    if state.doubtful and turn.doubted and not state.escalated:
        state.hand_over("unsure", "two doubtful turns in a row")
        return await _hand_over(recorder)
    text = "\n\n".join(state.texts)
    return Outcome(
        "escalated" if state.escalated else "answered", text, cited(text, state.sources), spend=_spend(state)
    )


async def _at_limit(turn: TurnInput, recorder: Recorder, limit: LimitReached) -> Outcome:
    """A hard limit: say what was found, if that still fits, and hand over."""
    if limit.limit == "steps":
        recorder.state.hand_over("loop", str(limit))
    else:
        recorder.state.hand_over("budget", str(limit))
        await wrap_up(turn, recorder, _evidence(turn, recorder.state))
    return await _hand_over(recorder)


async def _hand_over(recorder: Recorder) -> Outcome:
    """As decided: a safe text of ours after what stands of the model's, and a person."""
    state = recorder.state
    assert state.handover is not None, "decided before"
    reason, detail = state.handover["reason"], state.handover["detail"]
    ours = {"unsure": UNSURE, "asked": ASKED}.get(reason, HANDOVER)
    ours = recorder.config.say(ours)
    text = "\n\n".join([*state.texts, ours])
    if len(text) > recorder.config.max_answer_chars:
        state.texts, text = [], ours
    if not state.handover["written"]:
        await _show_again(recorder)
        state.handover["written"] = True
        output = {"reason": reason, "flagged": state.handover["flagged"]}
        await recorder.step(StepKind.ESCALATE, output=output, error=detail, status="escalated")
    wish = None if state.escalated else EscalationWish(reason, detail)
    return Outcome("escalated", text, cited(text, state.sources), wish, _spend(state))


def _stopped(recorder: Recorder, why: str) -> Outcome:
    """Ended from outside. The sink knows what was shown of which sources; after a take-over nothing more is said."""
    if why == "shutdown":  # this runner ends, not the turn: the next one goes on from the last step
        raise TurnLost
    state = recorder.state
    return Outcome("answered" if why == "stop" else "escalated", "", state.sources, spend=_spend(state))


async def _show_again(recorder: Recorder) -> None:
    """Withdraw what is shown and show the texts that stand, as a new message."""
    await recorder.ports.text.retract()
    if recorder.state.texts:
        await recorder.ports.text.show("\n\n".join(recorder.state.texts))


def _evidence(turn: TurnInput, state: TurnState) -> Evidence:
    own_words = [text for message in turn.history if message["role"] == "user" for text in own_texts(message)]
    words = [] if state.cautious else [*own_words, turn.text]
    return evidence_of([turn.notice, *turn.evidence, *state.evidence], words)


def _open_tool_uses(state: TurnState) -> list[Block]:
    """The newest reply's tool calls that have no result yet: after a fresh reply, or in a resumed turn."""
    newest = state.messages[-1]
    if newest["role"] != "assistant":
        return []
    return [block for block in newest["content"] if block["type"] == "tool_use"]


def _spend(state: TurnState) -> Spend:
    return Spend(Usage(), Decimal(state.cost_usd))
