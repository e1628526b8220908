"""Executing: one streamed model call through the gate and the critic, and the tool calls it asks for, together."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass

from support_agent.agent.calls import Recorder, call_with_fallback, summary_of
from support_agent.agent.critic import Issue, check_answer
from support_agent.agent.evidence import Evidence
from support_agent.agent.gate import Gate
from support_agent.agent.observer import count_call
from support_agent.agent.prompts import prompt
from support_agent.agent.types import (
    INVALID_JSON,
    Block,
    Json,
    ModelReply,
    ModelRequest,
    StepKind,
    StepRecord,
    Tier,
    ToolUse,
    TurnInput,
)

SEARCH_TOOL = "search_knowledge_base"
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
        system=prompt("assistant").text,
        messages=[*turn.history, *state.messages],
        max_tokens=config.answer_max_tokens,
        tools=ports.tools.schemas(state.tools),
        timeout_s=config.answer_timeout_s,
    )
    gate = Gate(evidence, ports.text.show, lead="\n\n" if state.texts else "")
    await ports.text.activity("thinking")

    async def on_text(text: str) -> None:
        recorder.check_stop()
        await gate.feed(text)

    reply = await call_with_fallback(recorder, StepKind.MODEL_CALL, request, on_text)
    if reply.stop_reason == "refusal":  # partial text of a refusal is discarded, not finished
        gate.issues.append(Issue("refusal", "the model refused"))
    if reply.stop_reason == "max_tokens" and not reply.tool_uses:
        gate.issues.append(Issue("length", "it was too long to end"))
    await gate.close()
    text = reply.text.strip()
    answer = Answer(reply, text, gate.issues + check_answer(text, state.sources, config.max_answer_chars))
    if not answer.issues:
        _accept(answer, recorder)
    await recorder.step(
        StepKind.MODEL_CALL,
        model=reply.model,
        input=summary_of(request),
        output={"stop_reason": reply.stop_reason, "content": reply.content},
        spend=reply.spend,
        duration_ms=reply.duration_ms,
        ttft_ms=reply.ttft_ms,
    )
    return answer


def _accept(answer: Answer, recorder: Recorder) -> None:
    """The call stands: its text, and what it asks for, become part of the turn before the step is checkpointed."""
    state, reply = recorder.state, answer.reply
    if answer.text:
        state.texts.append(answer.text)
    if reply.tool_uses or reply.stop_reason == "pause_turn":
        state.messages.append({"role": "assistant", "content": reply.content})
    else:
        state.done = True


async def run_tools(uses: list[Block], recorder: Recorder, evidence: Evidence) -> None:
    """Run a reply's tool calls together; their results become the next message, in the order they were asked for."""
    state, ports = recorder.state, recorder.ports
    recorder.check_stop()
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
        text = json.dumps(result, ensure_ascii=False, separators=(",", ":"), default=str)
        count_call(state, wish.name, wish.arguments, result)
        evidence.add(text)
        state.evidence.append(text)
        if wish.name == SEARCH_TOOL:
            state.sources += [{key: hit[key] for key in ("n", "title", "url")} for hit in result.get("results", [])]
        if wish.name == "escalate_to_human" and result["status"] == "success":
            state.escalated = True
        blocks.append({"type": "tool_result", "tool_use_id": wish.id, "content": text})
    state.messages.append({"role": "user", "content": blocks})
    await recorder.record([record for _, record in done])
