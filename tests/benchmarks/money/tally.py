"""What calls cost: their tokens as the fake API counted them, priced, shared out, and with assumed thinking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from support_agent.agent.types import Usage
from support_agent.llm.pricing import cost_usd
from support_agent.llm.request import thinking_for
from tests.fakes.cache import PromptCache

Json = dict[str, Any]
Kind = Literal["plan", "answer", "memory"]
# Assumed, for the demo model does not think: tokens of every call of a model whose thinking cannot be switched off.
THINKING_TOKENS = 300


@dataclass(frozen=True, slots=True)
class Call:
    """One call the API served: in which conversation of the load and after which of its steps, and its tokens."""

    talk: int
    step: int
    body: Json
    usage: Usage
    goes_on: bool = False  # another call of the same turn reads what this one thought

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def kind(self) -> Kind:
        if "output_config" in self.body:
            return "plan"
        return "answer" if self.body.get("tools") else "memory"

    @property
    def prefix(self) -> tuple[str, ...]:
        """The model and the tools it may ask for: what has a cache of its own."""
        return self.model, *(tool["name"] for tool in self.body.get("tools", ()))


def of_kind(calls: Sequence[Call], kind: Kind) -> list[Call]:
    return [call for call in calls if call.kind == kind]


def share_read(calls: Sequence[Call]) -> float:
    """Per cent of the prompts' tokens that the cache had."""
    prompt = sum(call.usage.prompt_tokens for call in calls)
    return 100 * sum(call.usage.cache_read_tokens for call in calls) / prompt if prompt else 0.0


def cost(calls: Sequence[Call], *, thinking: int = THINKING_TOKENS) -> float:
    """USD. Thought tokens are paid as output, and written to the cache when the turn goes on with them."""
    return float(sum((_one(call, thinking) for call in calls), Decimal()))


def _one(call: Call, thinking: int) -> Decimal:
    usage = call.usage
    if thinking_for(call.model) != {"type": "disabled"}:
        usage += Usage(output_tokens=thinking, cache_write_tokens=thinking if call.goes_on else 0)
    return cost_usd(call.model, usage)


def on_model(calls: Sequence[Call], model: str, *kinds: Kind) -> list[Call]:
    """The same calls, those of `kinds` (all without any) asked of another model; tokens and cache stay as they are."""
    return [
        replace(call, body={**call.body, "model": model}) if not kinds or call.kind in kinds else call for call in calls
    ]


def longer(calls: Sequence[Call], times: float) -> list[Call]:
    """As if the model had written so many times as much."""
    return [
        replace(call, usage=replace(call.usage, output_tokens=round(call.usage.output_tokens * times)))
        for call in calls
    ]


def alone(calls: Sequence[Call], *, each_step: bool = False) -> list[Call]:
    """The calls counted again as if no other conversation kept tools and system prompt in the cache; with `each_step`
    as if the customer came back to each turn after the cache had forgotten the one before."""
    caches: dict[tuple[int, int], PromptCache] = {}
    counted = []
    for call in calls:
        key = call.talk, call.step if each_step else 0
        fields = caches.setdefault(key, PromptCache(clock=lambda: 0.0)).usage(call.body)
        usage = Usage(
            fields["input_tokens"],
            call.usage.output_tokens,
            fields["cache_read_input_tokens"],
            fields["cache_creation_input_tokens"],
        )
        counted.append(replace(call, usage=usage))
    return counted
