"""From what was played to the figures of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support_agent.agent.types import Tier
from tests.benchmarks.figures import Figure
from tests.benchmarks.money.play import MODELS, Played
from tests.benchmarks.money.tally import Call, alone, cost, longer, of_kind, on_model, share_read

LARGE = MODELS[Tier.LARGE]
SENSITIVE_TO = (0, 1_000)  # thinking tokens a call, beside the assumed ones
LONGER = 3.0


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was played: ten turns on one toolset, the load with and without routing, long threads both ways."""

    ten: Played
    ten_unmarked: Played
    routed: Played
    medium: Played
    compressed: Played
    whole: Played


def figures(found: Findings) -> list[Figure]:
    return [*_cache(found), *_load(found), *_routing(found), *_compression(found), *_sensitivity(found)]


def notes(found: Findings) -> list[str]:
    load = found.routed
    calls = {tier.value: sum(call.model == model for call in load.calls) for tier, model in MODELS.items()}
    by_model = ", ".join(f"{count} of the {tier} model" for tier, count in calls.items() if count)
    return [
        f"The load: {load.conversations} conversations, {load.turns} turns, {len(load.calls)} calls as routed "
        f"({by_model}); {load.resolved} resolved: every turn answered and nobody waits for a person. What the others "
        "cost is in the cost per resolved conversation.",
        "Deterministic: the same words, plans and token counts in every run, so there is nothing to repeat.",
    ]


def _cache(found: Findings) -> list[Figure]:
    """Raises ValueError when the ten turns were not on one toolset and model."""
    answers = of_kind(found.ten.calls, "answer")
    if len({call.prefix for call in answers}) != 1:
        raise ValueError("the ten turns used more than one toolset or model")
    return [
        _one("prompt read from cache, 10 turns, one toolset and model", share_read(answers), "%", 1, at_least=70),
        _one("— with the planner's calls, which have a model of their own", share_read(found.ten.calls), "%", 1),
        _one(
            "— the same without a breakpoint after the history",
            share_read(found.ten_unmarked.calls),
            "%",
            1,
        ),
        _one(
            "cost of the ten turns: with that breakpoint / without",
            cost(found.ten.calls, thinking=0) / cost(found.ten_unmarked.calls, thinking=0),
        ),
    ]


def _load(found: Findings) -> list[Figure]:
    medium, routed = found.medium, found.routed
    large = on_model(medium.calls, LARGE)
    return [
        _usd("per resolved conversation, every answer by the medium model", _each(medium), at_most=0.15),
        _usd("— as routed", _each(routed)),
        _usd("— as routed, in a desk so quiet that no other conversation warms the cache", _each(routed, alone)),
        _usd("— every answer by the large model", _each(medium, _large_answers)),
        _usd("— every call by the large model", _each(medium, _large)),
        _one("medium model / everything by the large one", cost(medium.calls) / cost(large), at_most=0.5),
        _one("— / only the answers by the large one", cost(medium.calls) / cost(_large_answers(medium.calls))),
        _one("as routed / everything by the large one", cost(routed.calls) / cost(large)),
        _one("— / only the answers by the large one", cost(routed.calls) / cost(_large_answers(medium.calls))),
        _one(
            "prompt tokens per turn, as routed", _per_turn(routed, [c.usage.prompt_tokens for c in routed.calls]), "", 0
        ),
        _one("output tokens per turn, as routed, without thinking", _per_turn(routed, _written(routed)), "", 0),
        _one("prompt read from cache over the load, as routed", share_read(routed.calls), "%", 1),
    ]


def _routing(found: Findings) -> list[Figure]:
    return [
        _usd("the load as routed", cost(found.routed.calls)),
        _usd("the load without routing: no fast path, all medium", cost(found.medium.calls)),
        _one("with routing / without", cost(found.routed.calls) / cost(found.medium.calls)),
        _one("— without any thinking", cost(found.routed.calls, thinking=0) / cost(found.medium.calls, thinking=0)),
    ]


def _compression(found: Findings) -> list[Figure]:
    """Raises ValueError when nothing was compressed, or something was that should not be."""
    short, whole = found.compressed, found.whole
    if not of_kind(short.calls, "memory") or of_kind(whole.calls, "memory"):
        raise ValueError("the long conversation was not compressed as it should be")
    cold, whole_cold = alone(short.calls, each_step=True), alone(whole.calls, each_step=True)
    return [
        _usd("per turn of a long conversation, compressed", cost(short.calls) / short.turns),
        _usd("— not compressed", cost(whole.calls) / whole.turns),
        _one("with compression / without", cost(short.calls) / cost(whole.calls)),
        _one("— who comes back after the cache has forgotten, each time", cost(cold) / cost(whole_cold)),
        _one("— prompt tokens, with / without", _prompts(short) / _prompts(whole)),
    ]


def _sensitivity(found: Findings) -> list[Figure]:
    medium, large = found.medium, on_model(found.medium.calls, LARGE)
    said = [
        figure
        for thinking in SENSITIVE_TO
        for figure in (
            _usd(
                f"medium, {thinking:,} thinking tokens a call", cost(medium.calls, thinking=thinking) / medium.resolved
            ),
            _one("— / the large model", cost(medium.calls, thinking=thinking) / cost(large, thinking=thinking)),
        )
    ]
    return [*said, _usd(f"medium, answers and plans {LONGER:.0f} times as long", _each(medium, _longer))]


def _each(played: Played, recount: Callable[[Sequence[Call]], Sequence[Call]] = list) -> float:
    """USD per resolved conversation; `recount` changes the calls first."""
    return cost(recount(played.calls)) / played.resolved


def _large(calls: Sequence[Call]) -> list[Call]:
    return on_model(calls, LARGE)


def _large_answers(calls: Sequence[Call]) -> list[Call]:
    return on_model(calls, LARGE, "answer")


def _longer(calls: Sequence[Call]) -> list[Call]:
    return longer(calls, LONGER)


def _prompts(played: Played) -> int:
    return sum(call.usage.prompt_tokens for call in played.calls)


def _written(played: Played) -> list[int]:
    return [call.usage.output_tokens for call in played.calls]


def _per_turn(played: Played, tokens: Sequence[int]) -> float:
    return sum(tokens) / played.turns


def _one(name: str, value: float, unit: str = "", digits: int = 2, **target: float) -> Figure:
    return Figure(name, (value,), unit, digits, **target)


def _usd(name: str, value: float, **target: float) -> Figure:
    return Figure(name, (value,), "USD", 4, **target)
