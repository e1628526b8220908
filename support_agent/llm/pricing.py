"""What a call costs, from the tokens the API reported."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import genai_prices

from support_agent.agent.types import ZERO, Usage

# The dearest model we route to: a model nobody has a price for is charged like it, so that limits err on the safe side.
FALLBACK_MODEL = "claude-opus-5-5"


def cost_usd(model: str, usage: Usage) -> Decimal:
    """The exact price of one call, long prompts' surcharge included; an unknown model costs as `FALLBACK_MODEL`."""
    if not usage.total:
        return ZERO
    counted = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,  # genai-prices wants the total, not the API's field
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    known = model if is_priced(model) else FALLBACK_MODEL
    return genai_prices.calc_price(counted, known, provider_id="anthropic").total_price


@lru_cache(maxsize=64)
def is_priced(model: str) -> bool:
    """Whether the model's own price is known; if not, what it costs is recorded as an estimate."""
    try:
        genai_prices.calc_price(genai_prices.Usage(input_tokens=1), model, provider_id="anthropic")
    except LookupError:
        return False
    return True
