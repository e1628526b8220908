"""After each step: go on, point out a loop, or stop. Hard rules in a fixed order, no model asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from support_agent.agent.config import EngineConfig
from support_agent.agent.types import Json, TurnState

FAILED = {"error", "degraded"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`decision` continue | notice | escalate; `rule` names the rule, `reason` an escalation reason."""

    decision: Literal["continue", "notice", "escalate"]
    rule: str = ""
    reason: str = ""
    notice: str = ""


GO_ON = Verdict("continue")


def call_key(name: str, arguments: Json) -> list[str]:
    """A call's identity: the tool and a hash of its arguments, key order ignored."""
    canonical = json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return [name, hashlib.sha256(canonical.encode()).hexdigest()[:16]]


def has_room(state: TurnState, config: EngineConfig, steps: int) -> bool:
    """Whether so many more steps, one that judges them and one that ends the turn stay within the cap."""
    return state.next_index + steps + 2 <= config.step_cap


def observe(state: TurnState, config: EngineConfig) -> Verdict:
    """The verdict on a turn as it stands; token and money limits are the budget's, which raises by itself."""
    if not has_room(state, config, 1):
        return Verdict("escalate", "step_cap", "loop")
    repeated = _repeated(state, config.repeat_limit)
    if repeated:
        if repeated in state.noticed:
            return Verdict("escalate", "repetition", "loop")
        name = repeated.split(":")[0]
        return Verdict(
            "notice",
            "repetition",
            notice=f"{name} was called {config.repeat_limit} times with the same arguments. "
            "The result will not change: answer from what you have, try another way, or hand over to a person.",
        )
    if state.failed_calls >= config.failed_call_limit:
        return Verdict("escalate", "failed_tools", "tool_failing")
    return GO_ON


def point_out(state: TurnState, config: EngineConfig) -> None:
    """Remember that the loop was pointed out: the same call once more escalates."""
    repeated = _repeated(state, config.repeat_limit)
    if repeated:
        state.noticed.append(repeated)


def count_call(state: TurnState, name: str, arguments: Json, result: Json) -> None:
    """Note a call. What policy refuses (with a `reason`) is an answer, not a failure."""
    state.calls.append(call_key(name, arguments))
    if result.get("status") in FAILED and "reason" not in result:
        state.failed_calls += 1


def _repeated(state: TurnState, limit: int) -> str:
    """The newest call when it was made often enough: 'name:hash', or ''. A noticed one counts on for one more."""
    if not state.calls:
        return ""
    newest = state.calls[-1]
    key = ":".join(newest)
    times = state.calls.count(newest)
    if key in state.noticed:
        return key if times > limit else ""
    return key if times >= limit else ""
