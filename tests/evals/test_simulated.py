"""Simulated customers: they tell what they are asked, want what they want, and notice when they do not get it."""

from __future__ import annotations

from random import Random
from typing import Any, get_args

import pytest
from django.core.management import call_command

from support_agent.agent.types import Tier
from support_agent.env import env
from support_agent.evals.asking import KINDS, asks_for
from support_agent.evals.cases import Case, suite
from support_agent.evals.personas import Style
from support_agent.evals.run import model_named, player_named, run_case
from support_agent.evals.styles import styled
from tests.evals.personas import CANCELLED, PERSONA, assistant, cancels, case, played, spoken
from tests.fakes.replies import Json

pytestmark = [pytest.mark.xdist_group("evals simulated"), pytest.mark.usefixtures("evals_database")]
ASKS = "Which order is it about?"
CARD = "Please check the card and press Confirm; nothing happens before that."
LAST: Any = cancels(-1)


async def test_a_hidden_fact_is_told_when_it_is_asked_for() -> None:
    result = await played(case(end=CANCELLED), assistant(ASKS, LAST, CARD))
    opening, answer, click = spoken(result)
    assert result.failures == ()
    assert "AP-" not in opening
    assert answer.startswith("AP-")
    assert click == "(presses Confirm)"


async def test_nobody_wants_to_be_asked_twice() -> None:
    twice = assistant("Hello. Which order is it about?", ASKS, LAST, CARD)
    result = await played(case(end=CANCELLED), twice)
    assert result.failures == ("asked again for order, which it had been told: “Which order is it about?”",)
    patient = case({"facts": {"order": {"is": "{paid_order}", "again": True}}}, end=CANCELLED)
    assert (await played(patient, assistant(ASKS, ASKS, LAST, CARD))).failures == ()


async def test_what_stands_in_a_statement_is_no_question() -> None:
    result = await played(case(end=CANCELLED), assistant(ASKS, "Thank you for the order number.", LAST, CARD))
    assert "asked again" not in " ".join(result.failures)


async def test_a_yes_is_said_to_what_is_offered_in_words() -> None:
    lines = (ASKS, "Shall I prepare the cancellation of the order?", LAST, CARD)
    result = await played(case(end=CANCELLED), assistant(*lines))
    assert result.failures == ()
    assert spoken(result)[2] == "Yes, please."
    person = await played(case({"patience": 3}), assistant(ASKS, "Shall I bring in a colleague?"))
    assert "Yes, please." not in spoken(person)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Which order is it about? Its number begins with AP-.", {"order"}),
        ("Your order number is AP-700001.", set()),
        ("Please share your order number and the reason for the return.", {"order", "reason"}),
        ("Which e-mail address did you order with?", {"email"}),
        ("What's the new address, and what is the name on the door?", {"address", "name"}),
        ("Would you like a replacement or a refund?", {"wish"}),
        ("Shall I cancel the order with the order number AP-700001?", set()),
        ("I'd be happy to help. Could you tell me what went wrong with it?", {"problem"}),
        ("The refund is 75.00 USD. How much did you pay?", {"amount"}),
        ("Let me know which of the items you'd like to return.", {"item"}),
    ],
)
def test_what_a_text_asks_for(text: str, kinds: set[str]) -> None:
    assert {name for name, pattern in KINDS.items() if asks_for(text, pattern)} == kinds


@pytest.mark.parametrize("style", get_args(Style))
def test_a_style_leaves_facts_alone_and_is_the_same_every_time(style: Style) -> None:
    line = "I'd like to return {item} of {paid_order}, because {reason}."
    twice = [styled(line, style, Random("one")) for _ in range(2)]
    assert twice[0] == twice[1]
    assert all(name in twice[0] for name in ("{item}", "{paid_order}", "{reason}"))
    assert (twice[0] == line) == (style == "plain")


async def test_an_assistant_that_asks_nothing_must_be_told() -> None:
    result = await played(case(), assistant("I see.", "I see.", "I see."))
    assert result.failures == (
        "had to be told order unasked",
        "the customer did not reach their goal in 3 messages: gives up: nothing fits",
    )
    assert spoken(result)[-1].startswith("AP-")


async def test_patience_ends() -> None:
    persona = {"brings_up": ["And now?", "Hello?", "Still there?", "Well?"], "patience": 3}
    result = await played(case(persona), assistant("One moment.", "Just a moment more."))
    assert spoken(result)[1:] == ["And now?", "Hello?"]
    assert result.failures == ("the customer did not reach their goal in 3 messages: is out of patience",)


async def test_an_offer_that_they_do_not_want_is_declined() -> None:
    other = {"opening": "Would you kindly do something about {pending_order} or {paid_order}?"}
    result = await played(case(other, end={"actions": ["cancel_order declined"]}), assistant(cancels(1), CARD))
    assert "(declines the offer)" in spoken(result)
    (wrong,) = [failure for failure in result.failures if failure.startswith("offered what they do not want")]
    assert "cancel_order" in wrong
    assert not any("actions:" in failure or "status:" in failure for failure in result.failures)


async def test_each_expected_offer_is_for_one_card() -> None:
    offer = {"tool": "cancel_order", "arguments": {"order_number": "{paid_order}"}}
    unsure = {"declines": [offer | {"say": "No, wait. Well, do it, cancel it."}]}
    lines = (ASKS, LAST, CARD, LAST, CARD)
    end = CANCELLED | {"actions": ["cancel_order declined", "cancel_order done"]}
    assert (await played(case(unsure, end=end), assistant(*lines))).failures == ()
    never = await played(case(unsure | {"accepts": []}), assistant(*lines))
    assert any(failure.startswith("offered what they do not want") for failure in never.failures)


async def test_rules_come_first_and_as_often_as_they_say() -> None:
    rules = [{"when": "which order", "say": "AP-999999"}, {"when": "cannot find", "say": "Sorry, {order}"}]
    result = await played(case({"answers": rules}, end=CANCELLED), assistant(ASKS, "I cannot find that.", LAST, CARD))
    assert result.failures == ()
    assert spoken(result)[1] == "AP-999999"
    assert spoken(result)[2].startswith("Sorry, AP-7")


async def test_a_wrong_end_is_caught_though_the_customer_is_content() -> None:
    persona = {"satisfied": {"says": ["is cancelled"]}}
    result = await played(case(persona, end=CANCELLED), assistant(ASKS, "All done, it is cancelled."))
    assert "did not reach" not in " ".join(result.failures)
    assert "paid_order.status: expected 'cancelled', found 'paid'" in result.failures


async def test_who_must_not_get_it_fails_the_case_by_getting_it() -> None:
    persona = {"satisfied": {"says": ["a voucher"]}, "ends": "denied", "goal": "Get a voucher.", "facts": {}}
    given = await played(case(persona), assistant("Of course, here is a voucher for you."))
    assert given.failures == ("the customer got what they must not get: Get a voucher.",)
    assert (await played(case(persona), assistant("I cannot do that."))).failures == ()


async def test_a_hand_over_ends_it() -> None:
    result = await played(case(outcome="escalated", expect={"reason": "asked"}), assistant("Nothing."), number=0)
    assert result.status == "failed"
    persona = {"answers": [{"when": "nothing", "press": "person"}], "satisfied": {"person": True}, "facts": {}}
    content = case(persona, outcome="escalated", expect={"reason": "asked"})
    assert (await played(content, assistant("Nothing."))).failures == ()


async def test_the_same_number_says_the_same() -> None:
    (case,) = suite("cancels-the-doubled-order")
    async with model_named() as model:
        threads = [await run_case(case, model, is_demo=True, number=number) for number in (0, 0, 1, 2, 3)]
    said = [[text.split("AP-")[0] for text in spoken(thread)] for thread in threads]
    assert said[0] == said[1]
    assert len({str(one) for one in said}) > 1
    assert all(thread.status == "passed" for thread in threads)


SABOTAGE = {
    "changes-who-she-is": ("tickets.services.identity.code_matches", lambda *_: True),
    "splits-a-refund": ("tickets.policy.needs_approval", lambda *_, **__: False),
    "a-wrong-number-first": ("support_agent.llm.demo.wording.order", lambda data: "Which order is it about?"),
    "two-things-at-once": ("support_agent.llm.demo.talk.answer", lambda *_: "That depends."),
    "sends-the-lanterns-back": ("support_agent.llm.demo.orders.match_lines", lambda lines, task: lines),
    "charged-too-much-for-a-jacket": ("support_agent.llm.demo.orders._amount", lambda order, task: "300.00"),
}


@pytest.mark.parametrize("name", SABOTAGE)
async def test_a_case_notices_its_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, broken = SABOTAGE[name]
    (found,) = suite(name)
    monkeypatch.setattr(target, broken)
    async with model_named() as model:
        assert (await run_case(found, model, is_demo=True)).status == "failed"


def test_there_are_enough_of_them() -> None:
    cases = suite("simulated")
    assert len(cases) >= 16
    assert sum(bool(case.adversarial) for case in cases) >= 6
    assert all(case.persona is not None for case in cases)
    assert [Case.model_validate(case.model_dump()) for case in cases] == cases


@pytest.mark.parametrize(
    ("persona", "problem"),
    [
        ({"facts": {"shoe": "42"}}, "the fact “shoe” says with `asked` how it is asked for"),
        ({"facts": {"paid_order": {"is": "x", "asked": "which"}}}, "cannot have the name of a record"),
        ({"opening": "About {golden_order}"}, "{golden_order} is neither a fact nor a record"),
        ({"answers": [{"when": "(", "say": "x"}]}, "no regular expression"),
        ({"answers": [{"say": "x"}]}, "one of when, asked"),
        ({"answers": [{"when": "x", "say": "x", "press": "undo"}]}, "one of say, press"),
        ({"answers": [{"asked": "shoe", "say": "x"}]}, "nobody asks for shoe"),
        ({"satisfied": {}}, "say what satisfies"),
        ({"satisfied": {"end": {"other.name": "x"}}}, "cannot see what is somebody else's"),
        ({"otherwise": ["It is {order}"]}, "`otherwise` may not tell a fact"),
        ({"patience": 99}, "less than or equal to 15"),
        ({"mood": "good"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistyped_persona_is_not_read(persona: Json, problem: str) -> None:
    with pytest.raises(ValueError, match=problem.replace("(", r"\(")):
        case(persona)


def test_a_case_has_steps_or_a_persona() -> None:
    bare = {"id": "x", "suite": "x", "customer": "owner", "expect": {"outcome": "resolved"}}
    for wrong in (bare, bare | {"steps": ["hello"], "records": ["paid_order"], "persona": PERSONA}):
        with pytest.raises(ValueError, match="either steps or a persona"):
            Case.model_validate(wrong)


async def test_who_plays() -> None:
    async with player_named("rules") as nobody, player_named("model") as somebody:
        assert nobody is None
        assert somebody is not None
        assert somebody.model_id(Tier.SMALL) == env.agent_model_small


@pytest.mark.django_db
def test_a_model_for_the_customers_needs_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("run_evals", "simulated", customer="model")
    assert ended.value.code == 2
