"""The demo model's words through the strict fake: what it says and what it is sent is what the real API would take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support_agent.agent.types import Plan, Tier
from support_agent.llm.client import ModelClient, ModelConfig
from support_agent.llm.demo.transport import DemoTransport
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import DemoModel
from tests.llm.conftest import MODELS, SEARCH, ask
from tests.llm.test_tool_calls import answered

SNIPPET = "You can return unused goods within 30 days of delivery."
FOUND = {"n": 1, "title": "Returns", "url": "/help/returns/", "category": "product", "section": "How long"}
RESULTS = json.dumps({"status": "success", "results": [{**FOUND, "snippet": SNIPPET, "score": 0.9}], "more": 0})


def client_of(api: FakeMessagesAPI) -> ModelClient:
    return ModelClient(ModelConfig(models=MODELS, api_key=api.api_key), api.transport())


@pytest.mark.parametrize("tier", list(Tier))
async def test_a_question_a_search_and_an_answer(tier: Tier) -> None:
    api = FakeMessagesAPI(DemoModel())
    client = client_of(api)
    question: dict[str, Any] = {"tier": tier, "tools": [SEARCH]}
    reply = await client.call(ask("What is your return policy?", **question))
    assert reply.tool_uses[0]["name"] == SEARCH["name"]
    messages = [{"role": "user", "content": "What is your return policy?"}, *answered(reply, RESULTS)[1:]]
    last = await client.call(ask(**question, messages=messages))
    await client.aclose()
    assert "30 days" in last.text
    assert api.refusals == []
    assert last.spend.cost_usd > 0


async def test_a_plan() -> None:
    api = FakeMessagesAPI(DemoModel())
    client = client_of(api)
    reply = await client.call(ask("I want to return my tent", tier=Tier.SMALL, output_schema=Plan.model_json_schema()))
    await client.aclose()
    assert Plan.model_validate_json(reply.text).in_scope


async def test_the_demo_alone_costs_what_it_counts() -> None:
    client = ModelClient(ModelConfig(models=MODELS, api_key="demo"), DemoTransport(words_per_second=0))
    reply = await client.call(ask("Hello!"))
    await client.aclose()
    assert reply.text
    assert reply.spend.cost_usd > 0
    assert not reply.spend.estimated
