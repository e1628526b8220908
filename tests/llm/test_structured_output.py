from __future__ import annotations

import json

import pytest

from support_agent.agent.types import ModelFailure, Plan, Tier
from tests.fakes.replies import plans, says
from tests.fakes.server import PLAN
from tests.llm.conftest import MakeRig, MakeWiredRig, ask


async def test_the_plan_comes_whole_and_valid(wired: MakeWiredRig) -> None:
    at = await wired(plans(PLAN))
    reply = await at.client.call(ask(tier=Tier.SMALL, output_schema=Plan.model_json_schema()), at.show)
    assert Plan.model_validate_json(reply.text).goal == PLAN["goal"]
    assert at.shown == []
    assert reply.spend.cost_usd == at.api.charged_usd > 0
    (sent,) = at.model.asked
    assert not sent.get("stream")
    assert "maxLength" not in json.dumps(sent["output_config"]).replace("{maxLength", "").replace(", maxLength", "")


async def test_an_answer_cut_in_half_is_a_failure(wired: MakeWiredRig) -> None:
    at = await wired(plans(PLAN).ends("cut"), max_retries=0)
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(tier=Tier.SMALL, output_schema=Plan.model_json_schema()))
    assert failed.value.kind in {"connection", "broken_stream"}
    assert failed.value.spend.estimated
    assert failed.value.spend.cost_usd > at.api.charged_usd / 2  # the prompt was read, whatever was written


async def test_one_that_never_comes_is_an_estimate(rig: MakeRig) -> None:
    at = rig(says("never").ends("hang"), max_retries=0)
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(output_schema=Plan.model_json_schema(), timeout_s=0.1))
    assert failed.value.kind == "timeout"
    assert failed.value.spend.estimated
    assert failed.value.spend.cost_usd > 0


async def test_a_hanging_plan_leaves_time_for_another(wired: MakeWiredRig) -> None:
    at = await wired(plans(PLAN).ends("hang"), plans(PLAN), whole_share=0.02)
    reply = await at.client.call(ask(tier=Tier.SMALL, output_schema=Plan.model_json_schema()))
    assert Plan.model_validate_json(reply.text)
    assert reply.spend.estimated
