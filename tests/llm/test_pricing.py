from __future__ import annotations

from decimal import Decimal

import pytest

from support_agent.agent.types import Usage
from support_agent.llm.pricing import FALLBACK_MODEL, cost_usd, is_priced

# USD per million tokens: input, output, five-minute cache write, cache read.
PRICES = {
    "claude-haiku-5-5": ("0.10", "0.50", "0.125", "0.01"),
    "claude-sonnet-5-5": ("2", "10", "2.50", "0.10"),
    "claude-opus-5-5": ("4", "20", "5", "0.20"),
    "claude-haiku-4-5": ("1", "5", "1.25", "0.10"),
}
MILLION = 1_000_000


@pytest.mark.parametrize("model", PRICES)
def test_each_kind_of_token_has_its_price(model: str) -> None:
    usages = [
        Usage(input_tokens=50_000),
        Usage(output_tokens=50_000),
        Usage(cache_write_tokens=50_000),
        Usage(cache_read_tokens=50_000),
    ]
    for usage, price in zip(usages, PRICES[model], strict=True):
        assert cost_usd(model, usage) * MILLION == Decimal(price) * 50_000


def test_cached_tokens_come_on_top_of_the_input() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=200, cache_read_tokens=30_000, cache_write_tokens=4_000)
    expected = 1_000 * Decimal("2") + 200 * Decimal("10") + 30_000 * Decimal("0.10") + 4_000 * Decimal("2.50")
    assert cost_usd("claude-sonnet-5-5", usage) * MILLION == expected


def test_a_long_prompt_makes_the_whole_haiku_request_five_times_as_dear() -> None:
    short = Usage(input_tokens=40_000, cache_read_tokens=60_000, output_tokens=1_000)
    long = Usage(input_tokens=40_001, cache_read_tokens=60_000, output_tokens=1_000)
    assert cost_usd("claude-haiku-5-5", short) * MILLION == 40_000 * Decimal("0.10") + 600 + 500
    assert cost_usd("claude-haiku-5-5", long) * MILLION == 5 * (40_001 * Decimal("0.10") + 600 + 500)
    assert cost_usd("claude-sonnet-5-5", long) * MILLION == 40_001 * 2 + 60_000 * Decimal("0.10") + 10_000


def test_an_unknown_model_costs_as_the_dearest_and_is_known_to_be_unknown() -> None:
    usage = Usage(input_tokens=10, output_tokens=10)
    assert not is_priced("our-gateway/model-x")
    assert cost_usd("our-gateway/model-x", usage) == cost_usd(FALLBACK_MODEL, usage)
    assert all(is_priced(model) for model in PRICES)


def test_nothing_costs_nothing() -> None:
    assert cost_usd("claude-opus-5-5", Usage()) == 0
