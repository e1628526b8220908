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
NO_USE = "The result will not change: answer from what you have, try another way, or hand over to a person."


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
    if loop := _loop(state, config):
        key, rule, notice = loop
        if key in state.noticed:
            return Verdict("escalate", rule, "loop")
        return Verdict("notice", rule, notice=notice)
    if state.failed_calls >= config.failed_call_limit:
        return Verdict("escalate", "failed_tools", "tool_failing")
    return GO_ON


def point_out(state: TurnState, config: EngineConfig) -> None:
    """Remember that the loop was pointed out: going on with it escalates."""
    if loop := _loop(state, config):
        state.noticed.append(loop[0])
        state.noticed_after = len(state.calls)


def count_call(state: TurnState, name: str, arguments: Json, result: Json) -> None:
    """Note a call, and whether it failed."""
    state.calls.append(call_key(name, arguments))
    if is_failure(result):
        state.failed_calls += 1


def is_failure(result: Json) -> bool:
    """What policy refuses (with a `reason`) is an answer."""
    return result.get("status") in FAILED and "reason" not in result


def _loop(state: TurnState, config: EngineConfig) -> tuple[str, str, str] | None:
    """The loop the newest call is part of: (its key, its rule, what the model is told), or None."""
    if len(state.calls) == state.noticed_after:  # none, or none since: a resumed turn is not reproached twice
        return None
    newest, name = ":".join(state.calls[-1]), state.calls[-1][0]
    last = state.calls[-4:]
    if len(last) == 4 and last[0] == last[2] != last[1] == last[3]:
        pair = "~".join(sorted(":".join(call) for call in last[:2]))
        return (
            pair,
            "alternation",
            f"{last[0][0]} and {last[1][0]} were called in turn, with the same arguments. {NO_USE}",
        )
    times = state.calls.count(state.calls[-1])
    if times >= config.repeat_limit + (newest in state.noticed):
        return newest, "repetition", f"{name} was called {times} times with the same arguments. {NO_USE}"
    tries = sum(call[0] == name for call in state.calls)
    key = f"{name}:any"
    if tries >= config.tries_of_one_tool + 2 * (key in state.noticed):
        return key, "ever_new_arguments", f"{name} was called {tries} times with ever new arguments. {NO_USE}"
    return None
