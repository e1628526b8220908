"""Simulated customers whose words are a model's: it sees the chat alone, and wants no more than its persona."""

from __future__ import annotations

import json

import pytest

from support_agent.evals.report import as_json, money
from support_agent.evals.summary import Report
from tests.evals.personas import CANCELLED, assistant, cancels, case, played, spoken
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.replies import Reply, overloaded, plans, says
from tests.fakes.scripted import Line, ScriptedModel

pytestmark = [pytest.mark.xdist_group("evals simulated"), pytest.mark.usefixtures("evals_database")]
ASKS = "Which order is it about?"
CARD = "Please check the card and press Confirm; nothing happens before that."


def speaks(*lines: Line) -> FakeMessagesAPI:
    return FakeMessagesAPI(ScriptedModel(*lines))


def wish(does: str, text: str = "", button: str = "none") -> Reply:
    return plans({"does": does, "text": text, "button": button, "because": "so it seems right"})


def tells_the_order(body: dict[str, object]) -> Reply:
    """What the model knows of the order, it knows from its persona."""
    number = str(body["system"]).split("- order: ")[1][:9]
    return wish("say", f"It is number {number}, thanks.")


async def test_a_model_plays_to_the_end() -> None:
    player = speaks(tells_the_order, wish("click", button="confirm"))
    result = await played(case(end=CANCELLED), assistant(ASKS, cancels(-1), CARD), player=player)
    assert result.failures == ()
    assert spoken(result)[1].startswith("It is number AP-7")
    assert spoken(result)[2] == "(presses Confirm)"
    assert [body["model"] for body in player.requests] == ["claude-haiku-5-5"] * 2


async def test_it_sees_what_a_customer_sees() -> None:
    player = speaks(tells_the_order, wish("click", button="confirm"))
    await played(case(end=CANCELLED), assistant(ASKS, cancels(-1), CARD), player=player)
    sent = json.dumps(player.requests)
    assert ASKS in sent
    assert "Cancel order AP-" in sent
    for inside in ("plan: subject", "pending_confirmation", "lookup_order", "action_token", "# How you work"):
        assert inside not in sent


async def test_what_it_costs_is_told_apart() -> None:
    api, player = assistant(ASKS, cancels(-1), CARD), speaks(tells_the_order, wish("click", button="confirm"))
    result = await played(case(end=CANCELLED), api, player=player)
    assert result.customer_usd == player.charged_usd > 0
    assert result.cost_usd == api.charged_usd
    report = Report([result], model="demo")
    assert "for the simulated customers" in money(report)
    assert as_json(report)["customers_usd"] == result.customer_usd


async def test_it_cannot_confirm_what_its_persona_does_not_want() -> None:
    opening = {"opening": "Would you kindly do something about {pending_order} or {paid_order}?"}
    player = speaks(wish("click", button="confirm"), wish("stop"))
    of = case(opening, end={"actions": ["cancel_order declined"]})
    result = await played(of, assistant(cancels(1), CARD), player=player)
    assert "(declines the offer)" in spoken(result)
    assert any(failure.startswith("offered what they do not want") for failure in result.failures)
    assert any("stops: so it seems right" in failure for failure in result.failures)


async def test_it_is_asked_again_for_what_cannot_be_done() -> None:
    player = speaks(wish("click", button="code"), tells_the_order, says("no json"), wish("click", button="confirm"))
    result = await played(case(end=CANCELLED), assistant(ASKS, cancels(-1), CARD), player=player)
    assert result.failures == ()


@pytest.mark.parametrize("broken", [(says("no json"), says("nor this")), (wish("say"), wish("click")), None])
async def test_a_customer_that_cannot_go_on_is_no_pass(broken: tuple[Line, ...] | None) -> None:
    persona = {"ends": "denied", "satisfied": {"says": ["a voucher"]}}
    lines = broken or (overloaded(x_should_retry="false"),) * 3
    result = await played(case(persona), assistant("I cannot do that."), player=speaks(*lines))
    assert len(result.failures) == 1
    assert "nothing can be said of this conversation: the model that plays the customer" in result.failures[0]


async def test_braces_in_its_words_are_words() -> None:
    player = speaks(wish("say", "What is {paid_order.total} and {nothing.at_all}?"), wish("stop"))
    result = await played(case(), assistant("I do not know."), player=player)
    assert "What is {paid_order.total} and {nothing.at_all}?" in spoken(result)
