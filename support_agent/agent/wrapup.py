"""At a hard limit: what was found so far in two sentences, if a small call still fits, before a person takes over."""

from __future__ import annotations

import json

from support_agent.agent.calls import Recorder, call_model, summary_of
from support_agent.agent.critic import check_sentence
from support_agent.agent.errors import LimitReached
from support_agent.agent.evidence import Evidence
from support_agent.agent.memory import NOTES
from support_agent.agent.types import Json, ModelFailure, ModelRequest, StepKind, Tier, TurnInput

WISH = (
    "The limit of this turn is reached: no more look-ups. In at most two sentences, tell the customer what these notes "
    "already answer, or nothing but that you could not finish. A person takes over after your words."
)
MAX_NOTES = 6000


async def wrap_up(turn: TurnInput, recorder: Recorder, evidence: Evidence) -> None:
    """Add the closing words to the texts, if there is anything to tell, room for the call, and they hold."""
    state, config = recorder.state, recorder.config
    if not state.evidence:
        return
    found = json.dumps([json.loads(text) for text in state.evidence[-4:]], ensure_ascii=False)[:MAX_NOTES]
    messages: list[Json] = [
        {"role": "user", "content": f"{turn.text}\n\n{NOTES}\n{found}"},
        {"role": "system", "content": WISH},
    ]
    request = ModelRequest(
        tier=Tier.SMALL,
        system=config.system("assistant"),
        messages=messages,
        max_tokens=config.wrap_up_max_tokens,
        timeout_s=15.0,
    )
    try:
        reply = await call_model(recorder, StepKind.MODEL_CALL, request)
    except (LimitReached, ModelFailure):
        return
    text = reply.text.strip()
    holds = reply.stop_reason == "end_turn" and not check_sentence(text, evidence, inside=config.inside())
    if holds and text:
        state.texts.append(text)
    await recorder.step(
        StepKind.MODEL_CALL,
        model=reply.model,
        input=summary_of(request),
        output={"wrap_up": True, "content": reply.content, "shown": holds},
        spend=reply.spend,
        duration_ms=reply.duration_ms,
    )
