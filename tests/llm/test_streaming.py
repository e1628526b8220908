from __future__ import annotations

import httpx2
import pytest

from support_agent.agent.types import ModelFailure, ModelPort, Tier
from support_agent.llm.client import build_client
from tests.fakes.replies import Reply, says, text
from tests.llm.conftest import MODELS, MakeRig, MakeWiredRig, ask

WORDS = "Your order AP-104233 left our house on Tuesday — with Cascade Post 📦, and should arrive by Friday."


async def test_text_reaches_on_text_as_it_streams(rig: MakeRig) -> None:
    at = rig(says(WORDS))
    reply = await at.client.call(ask(), at.show)
    assert len(at.shown) > 3
    assert "".join(at.shown) == reply.text == WORDS
    assert reply.stop_reason == "end_turn"
    assert reply.model == "claude-sonnet-5-5"
    assert reply.ttft_ms is not None
    assert reply.duration_ms >= reply.ttft_ms


async def test_the_same_over_the_aiohttp_client(wired: MakeWiredRig) -> None:
    at = await wired(says(WORDS), says("And again."))
    assert (await at.client.call(ask(), at.show)).text == WORDS
    assert "".join(at.shown) == WORDS
    assert (await at.client.call(ask())).text == "And again."
    assert at.api.refusals == []


async def test_without_on_text_the_reply_is_whole(rig: MakeRig) -> None:
    assert (await rig(says(WORDS)).client.call(ask())).text == WORDS


async def test_each_tier_has_its_model_and_its_least_thinking(rig: MakeRig) -> None:
    at = rig(says("a"), says("b"), says("c"))
    for tier in Tier:
        assert (await at.client.call(ask(tier=tier))).model == at.client.model_id(tier)
    assert [body["thinking"]["type"] for body in at.model.asked] == ["disabled", "between_tools", "adaptive"]


async def test_a_cut_at_max_tokens_is_a_reply(rig: MakeRig) -> None:
    at = rig(Reply([text("Half a")], stop_reason="max_tokens"))
    reply = await at.client.call(ask(), at.show)
    assert (reply.stop_reason, reply.text) == ("max_tokens", "Half a")


async def test_a_refusal_has_no_content(rig: MakeRig) -> None:
    at = rig(Reply([text("I was about to")], stop_reason="refusal"))
    reply = await at.client.call(ask(), at.show)
    assert (reply.stop_reason, reply.content) == ("refusal", [])
    assert reply.spend.cost_usd > 0


async def test_by_default_it_speaks_to_anthropics_own_api() -> None:
    seen: list[httpx2.Request] = []

    def record(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(401, json={"type": "error", "error": {"type": "authentication_error", "message": "no"}})

    small, medium, large = MODELS.values()
    transport = httpx2.MockTransport(record)
    client: ModelPort = build_client(api_key="sk-1", small=small, medium=medium, large=large, transport=transport)
    with pytest.raises(ModelFailure, match="401"):
        await client.call(ask())
    (request,) = seen
    assert str(request.url) == "https://api.anthropic.com/v1/messages"
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["anthropic-version"] == "2026-10-21"
