"""The rules that end or bend a turn, and their order."""

from __future__ import annotations

from typing import Any

import pytest

from support_agent.agent.config import EngineConfig
from support_agent.agent.observer import call_key, count_call, has_room, observe, point_out
from support_agent.agent.types import Json, TurnState

CONFIG = EngineConfig()
OK: Json = {"status": "success"}
FAILED: Json = {"status": "error", "retryable": True, "message": "no"}


def after(*calls: tuple[str, Json, Json], **fields: Any) -> TurnState:
    state = TurnState(**fields)
    for name, arguments, result in calls:
        count_call(state, name, arguments, result)
    return state


def test_nothing_to_say() -> None:
    assert observe(TurnState(), CONFIG).decision == "continue"
    assert observe(after(("a", {}, OK), ("a", {}, OK), ("b", {}, FAILED)), CONFIG).decision == "continue"


def test_a_call_is_known_by_tool_and_arguments_in_any_order() -> None:
    assert call_key("a", {"x": 1, "y": 2}) == call_key("a", {"y": 2, "x": 1})
    assert call_key("a", {"x": 1}) != call_key("a", {"x": "1"})
    assert call_key("a", {}) != call_key("b", {})


def test_the_third_identical_call_is_pointed_out_and_the_fourth_escalates() -> None:
    state = after(*[("a", {"x": 1}, OK)] * 3)
    verdict = observe(state, CONFIG)
    assert (verdict.decision, verdict.rule) == ("notice", "repetition")
    assert verdict.notice.startswith("a was called 3 times")
    point_out(state, CONFIG)
    assert observe(state, CONFIG).decision == "continue"  # also when a resumed turn observes once more
    count_call(state, "b", {}, OK)
    assert observe(state, CONFIG).decision == "continue"
    count_call(state, "a", {"x": 1}, OK)
    verdict = observe(state, CONFIG)
    assert (verdict.decision, verdict.rule, verdict.reason) == ("escalate", "repetition", "loop")


@pytest.mark.parametrize("status", ["error", "degraded"])
def test_three_failures_escalate(status: str) -> None:
    state = after(*[("a", {"x": n}, {"status": status, "message": "no"}) for n in range(3)])
    verdict = observe(state, CONFIG)
    assert (verdict.decision, verdict.rule, verdict.reason) == ("escalate", "failed_tools", "tool_failing")


def test_what_policy_refuses_is_an_answer_and_no_failure() -> None:
    refused: Json = {"status": "error", "retryable": False, "reason": "already_shipped", "message": "no"}
    others: list[Json] = [
        {"status": s} for s in ("not_found", "needs_verification", "invalid_arguments", "pending_confirmation")
    ]
    state = after(*[(f"tool_{n}", {}, result) for n, result in enumerate([refused] * 4 + others)])
    assert observe(state, CONFIG).decision == "continue"


def test_the_step_cap_leaves_room_to_judge_and_to_end() -> None:
    assert observe(TurnState(next_index=22), CONFIG).decision == "continue"
    verdict = observe(TurnState(next_index=23), CONFIG)
    assert (verdict.decision, verdict.rule, verdict.reason) == ("escalate", "step_cap", "loop")
    assert has_room(TurnState(next_index=13), CONFIG, 10)
    assert not has_room(TurnState(next_index=14), CONFIG, 10)


def test_the_rules_in_their_order() -> None:
    everything = after(*[("a", {}, FAILED)] * 4, next_index=24)
    assert observe(everything, CONFIG).rule == "step_cap"
    everything.next_index = 5
    assert observe(everything, CONFIG).rule == "repetition"
    assert observe(after(*[("a", {"x": n}, FAILED) for n in range(3)]), CONFIG).rule == "failed_tools"


def test_two_calls_in_turn_are_a_loop() -> None:
    a, b = ("a", {"x": 1}, OK), ("b", {"x": 1}, OK)
    assert observe(after(a, b, a), CONFIG).decision == "continue"
    state = after(a, b, a, b)
    assert (observe(state, CONFIG).decision, observe(state, CONFIG).rule) == ("notice", "alternation")
    point_out(state, CONFIG)
    count_call(state, *a)
    assert (observe(state, CONFIG).decision, observe(state, CONFIG).reason) == ("escalate", "loop")


def test_one_tool_with_ever_new_arguments_is_a_loop() -> None:
    state = after(*[("a", {"x": n}, OK) for n in range(6)])
    assert (observe(state, CONFIG).decision, observe(state, CONFIG).rule) == ("notice", "ever_new_arguments")
    point_out(state, CONFIG)
    count_call(state, "a", {"x": 7}, OK)
    assert observe(state, CONFIG).decision == "continue"
    count_call(state, "a", {"x": 8}, OK)
    assert observe(state, CONFIG).decision == "escalate"
