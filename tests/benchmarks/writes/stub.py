"""A model that answers at once: a look-up of the order the customer names, then words that state nothing checkable."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from support_agent.agent.types import ModelReply, ModelRequest, OnText, Spend, Tier, Usage
from tests.benchmarks.words import ANSWER, LOOKS_UP, ORDER, PLAN

COST = Decimal("0.001")
_ids = count(1)


class StubModel:
    """The engine's ModelPort."""

    def __init__(self) -> None:
        self.calls = 0

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        self.calls += 1
        content = request.messages[-1]["content"]
        blocks: list[Any] = content if isinstance(content, list) else []
        if request.output_schema is not None:
            return _reply([{"type": "text", "text": str(PLAN)}], "end_turn", request)
        if any(block.get("type") == "tool_result" for block in blocks):
            if on_text is not None:
                await on_text(ANSWER)
            return _reply([{"type": "text", "text": ANSWER}], "end_turn", request)
        offered = {tool["name"] for tool in request.tools}
        name = next(name for name in LOOKS_UP if name in offered)
        number = ORDER.findall(str(request.messages))[-1]
        use = {"type": "tool_use", "id": f"toolu_{next(_ids):012}", "name": name, "input": {"order_number": number}}
        return _reply([use], "tool_use", request)

    def model_id(self, tier: Tier) -> str:
        return f"stub-{tier}"

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        return Decimal("0.05")


def _reply(content: list[Any], stop_reason: str, request: ModelRequest) -> ModelReply:
    usage = Usage(input_tokens=300, output_tokens=80, cache_read_tokens=3000)
    return ModelReply(f"stub-{request.tier}", content, stop_reason, Spend(usage, COST), 5, 2)
