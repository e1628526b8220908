"""Executing: one streamed model call through the gate and the critic, and the tool calls it asks for, together."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import get_args

from support_agent.agent import confidence
from support_agent.agent.calls import Recorder, call_with_fallback, summary_of
from support_agent.agent.config import EngineConfig
from support_agent.agent.critic import Issue, check_answer, cited, revision_notice
from support_agent.agent.evidence import Evidence, backing
from support_agent.agent.gate import Gate
from support_agent.agent.notices import append_notice
from support_agent.agent.observer import count_call, is_failure
from support_agent.agent.types import (
    INVALID_JSON,
    Block,
    HandOverReason,
    Json,
    ModelReply,
    ModelRequest,
    StepKind,
    StepRecord,
    Tier,
    ToolUse,
    TurnInput,
    TurnState,
)

SEARCH_TOOL, PERSON_TOOL = "search_knowledge_base", "escalate_to_human"
# Ways in which a call can end after which asking again is of no use.
LAST_WORDS = {
    "refusal": "the model refused",
    "model_context_window_exceeded": "the conversation no longer fits the model",
}
NO_JSON: Json = {"status": "invalid_arguments", "fields": {"arguments": "not a JSON object"}}


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished model call: the reply, its text without outer blanks, and what the critic holds against it."""

    reply: ModelReply
    text: str
    issues: list[Issue]


async def ask_model(turn: TurnInput, recorder: Recorder, evidence: Evidence) -> Answer:
    """One call on the turn's fixed toolset; its text streams to the customer as far as the gate lets it."""
    state, ports, config = recorder.state, recorder.ports, recorder.config
    request = ModelRequest(
        tier=Tier(state.tier),
        system=config.system("assist" if state.path == "assist" else "assistant"),
        messages=[*turn.history, *state.messages],
        max_tokens=config.answer_max_tokens,
        tools=ports.tools.schemas(state.tools),
        timeout_s=config.answer_timeout_s,
        lasting=len(turn.history) + 1,
    )
    state.tries += 1
    gate = Gate(evidence, ports.text.show, lead="\n\n" if state.texts else "", inside=config.inside())
    await ports.text.activity("thinking")

    async def on_text(text: str) -> None:
        recorder.check_stop()
        await gate.feed(text)

    reply = await call_with_fallback(recorder, StepKind.MODEL_CALL, request, on_text)
    gate.finish()
    text = reply.text.strip()
    whole = "\n\n".join([*state.texts, text]).strip()
    issues = [*_ending(reply, text), *gate.issues, *_whole(reply, whole, state, config)]
    answer = Answer(reply, text, issues)
    records = [
        StepRecord(
            recorder.next_index(),
            StepKind.MODEL_CALL,
            model=reply.model,
            input=summary_of(request),
            output={"stop_reason": reply.stop_reason, "content": reply.content},
            spend=reply.spend,
            duration_ms=reply.duration_ms,
            ttft_ms=reply.ttft_ms,
        )
    ]
    if not issues:
        _accept(answer, recorder)
    else:
        _reject(answer, recorder)
    await recorder.record([*records, *_verdict(answer, recorder)])
    if not issues:
        await gate.show()
    return answer


def _whole(reply: ModelReply, text: str, state: TurnState, config: EngineConfig) -> list[Issue]:
    """The critic's rules for the whole answer; what must be mentioned is due only in the words that end the turn."""
    statuses = [] if reply.tool_uses else [str(json.loads(result)["status"]) for result in state.evidence[-7:]]
    return check_answer(text, state.sources, config.max_answer_chars, statuses)


def _verdict(answer: Answer, recorder: Recorder) -> list[StepRecord]:
    """The critic's step: on a call that is dropped, and on the one that ends the turn."""
    state = recorder.state
    if answer.reply.stop_reason in LAST_WORDS:
        return []
    if answer.issues:
        output: Json = {"accepted": False, "issues": [issue.as_json() for issue in answer.issues], "text": answer.text}
        return [StepRecord(recorder.next_index(), StepKind.CRITIC, status="failed", output=output)]
    if not state.done:
        return []
    whole = "\n\n".join(state.texts)
    numbers = [source["n"] for source in cited(whole, state.sources)]
    state.confidence = confidence.of_turn(state)
    state.doubtful = state.doubtful or state.confidence < confidence.threshold(state)
    output = {
        "accepted": True,
        "sources": numbers,
        "words": len(whole.split()),
        "confidence": state.confidence,
        "claims": backing(whole, state),
    }
    return [StepRecord(recorder.next_index(), StepKind.CRITIC, output=output)]


def _ending(reply: ModelReply, text: str) -> list[Issue]:
    """What the way a call ended holds against it: what was cut is no answer, and neither is silence."""
    if reply.stop_reason in LAST_WORDS:
        return [Issue(reply.stop_reason, LAST_WORDS[reply.stop_reason])]
    if reply.tool_uses:
        return []
    if reply.stop_reason == "max_tokens":
        return [Issue("length", "it was too long to end")]
    return [] if text else [Issue("empty", "it said nothing to the customer")]


def _accept(answer: Answer, recorder: Recorder) -> None:
    """The call stands: its text, and what it asks for, become part of the turn before the step is checkpointed."""
    state, reply = recorder.state, answer.reply
    state.tries = 0
    if answer.text:
        state.texts.append(answer.text)
    if reply.tool_uses:
        state.messages.append({"role": "assistant", "content": reply.content})
    else:
        state.done = True


def _reject(answer: Answer, recorder: Recorder) -> None:
    """The call is dropped: its issues are told to the next one, or a person takes over."""
    state, stop_reason = recorder.state, answer.reply.stop_reason
    if stop_reason in LAST_WORDS:
        state.hand_over("safety" if stop_reason == "refusal" else "budget", LAST_WORDS[stop_reason])
        return
    state.revisions += 1
    append_notice(state.messages, revision_notice(answer.issues))
    if state.tries > recorder.config.revisions:
        state.hand_over("unsure", "the answer could not be backed by records", flagged=True)


async def run_tools(
    uses: list[Block], recorder: Recorder, evidence: Evidence, *, drafted: bool = False
) -> list[StepRecord]:
    """Run a reply's tool calls together; their results become the next message, in the order they were asked for.

    Answers the steps, to be written before anything else happens.
    """
    state, ports = recorder.state, recorder.ports
    recorder.check_stop()
    recorder.check_room(len(uses))
    broken = {use["id"] for use in uses if INVALID_JSON in use}
    wishes = [ToolUse(use["id"], use["name"], use["input"]) for use in uses]
    await ports.text.activity("tool", ports.tools.label(wishes[0].name))
    numbered = [(wish, recorder.next_index()) for wish in wishes]

    async def one(wish: ToolUse, index: int) -> tuple[Json, StepRecord]:
        started = time.perf_counter()
        result = NO_JSON if wish.id in broken else await ports.tools.call(wish, state.tools)
        record = StepRecord(
            index,
            StepKind.TOOL_CALL,
            tool=wish.name,
            input=wish.arguments,
            output=result,
            status=str(result["status"]),
            error=str(result.get("message", "")) if result["status"] == "error" else "",
            duration_ms=round((time.perf_counter() - started) * 1000),
        )
        return result, record

    done = await asyncio.gather(*(one(wish, index) for wish, index in numbered))
    blocks: list[Block] = []
    for wish, (result, _) in zip(wishes, done, strict=True):
        if wish.name == SEARCH_TOOL:
            _number_sources(result, state)
        text = json.dumps(result, ensure_ascii=False, separators=(",", ":"), default=str)
        count_call(state, wish.name, wish.arguments, result)
        evidence.add(text)
        state.evidence.append(text)
        if wish.name == PERSON_TOOL:
            _note_hand_over(wish.arguments, result, state, drafted=drafted)
        blocks.append({"type": "tool_result", "tool_use_id": wish.id, "content": text})
    state.messages.append({"role": "user", "content": blocks})
    return [record for _, record in done]


def _note_hand_over(arguments: Json, result: Json, state: TurnState, *, drafted: bool) -> None:
    """Who is to reach a person does, also when the tool for it fails: then the turn's end hands over. In a draft it is
    refused, for there is a person already, and the wish says that there is no draft."""
    if result["status"] == "success":
        state.escalated = True
    elif (drafted or is_failure(result)) and state.person_wished is None:
        reason, summary = arguments.get("reason"), str(arguments.get("summary", ""))
        state.person_wished = {"reason": reason if reason in get_args(HandOverReason) else "asked", "summary": summary}


def _number_sources(result: Json, state: TurnState) -> None:
    """Give each hit its number in this turn, whichever search found it: one article, one [n]."""
    for hit in result.get("results", []):
        known = next((source for source in state.sources if source["url"] == hit["url"]), None)
        hit["n"] = known["n"] if known else len(state.sources) + 1
        if known is None:
            state.sources.append({key: hit[key] for key in ("n", "title", "url")})
