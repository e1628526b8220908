"""From a message to an answer: what the customer sees, what is written, and what it cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Sum

from support_agent.models import Step, ToolCall, Turn
from tests.fakes.replies import Reply, calls, fails, plans, says, text, tool_use
from tests.runtime.conftest import Rig
from tickets.db import in_db
from tickets.models import Action, Conversation, Escalation, Order

PLAN: dict[str, Any] = {
    "goal": "Know about an order.",
    "topic": "order status",
    "subject": "orders",
    "in_scope": True,
    "complexity": "medium",
    "confidence": 0.9,
    "steps": [{"type": "gather_info", "priority": "required", "description": "Look it up."}],
    "is_complete": False,
}
ACTING = {**PLAN, "steps": [*PLAN["steps"], {"type": "take_action", "priority": "required", "description": "Do it."}]}


async def test_a_planned_turn_looks_up_and_answers(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(PLAN),
        calls("lookup_order", {"order_number": "AP-100001"}, before=[text("Let me look that up.")]),
        says("Order AP-100001 over 180.00 USD has been delivered."),
    )
    turn = await rig.ask(conversation, "I would like to know everything about AP-100001")
    assert turn.state == Turn.State.ANSWERED
    events = await rig.events(conversation)
    assert [(e["seq"], e["type"]) for e in events] == [(1, "message"), (2, "message"), (3, "turn")]
    answer = events[1]["message"]
    assert answer["text"] == "Let me look that up.\n\nOrder AP-100001 over 180.00 USD has been delivered."
    assert answer["turn_id"] == str(turn.pk) == events[2]["turn_id"]
    kinds = await in_db(lambda: list(turn.steps.values_list("index", "kind")))
    assert kinds == [(0, "plan"), (1, "model_call"), (2, "tool_call"), (3, "model_call"), (4, "critic")]
    await in_db(conversation.refresh_from_db)
    assert conversation.topic == PLAN["topic"]


async def test_small_talk_takes_no_planner(rig: Rig) -> None:
    conversation = await rig.begin()
    rig.model.add(says("Hello. What can I do for you?"))
    turn = await rig.ask(conversation, "hi there")
    assert (turn.path, len(rig.model.asked)) == ("fast", 1)
    assert rig.model.asked[0]["model"] == "claude-haiku-5-5"


async def test_the_recorded_cost_is_what_the_api_charged(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(PLAN), calls("lookup_order", {"order_number": "AP-100001"}), says("It has been delivered."), says("Hi.")
    )
    await rig.ask(conversation, "Is AP-100001 delivered already, or what is going on with it?")
    await rig.ask(conversation, "thanks")
    recorded = await in_db(lambda: Step.objects.aggregate(cost=Sum("cost_usd"))["cost"])
    by_turn = await in_db(lambda: Turn.objects.aggregate(cost=Sum("cost_usd"))["cost"])
    assert recorded == by_turn == rig.api.charged_usd > Decimal(0)
    assert rig.api.refusals == []


async def test_an_invented_amount_is_never_shown_and_asked_again(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(PLAN),
        calls("lookup_order", {"order_number": "AP-100001"}),
        says("You get 99.95 USD back. Anything else?"),
        says("Your order came to 180.00 USD."),
    )
    turn = await rig.ask(conversation, "How much was AP-100001 and what do I get back?")
    assert (await rig.answer(conversation))["text"] == "Your order came to 180.00 USD."
    rejected = await in_db(lambda: turn.steps.get(kind="critic", status="failed"))
    assert rejected.output["issues"][0]["rule"] == "unbacked_amount"
    assert "99.95" in rig.model.asked[-1]["messages"][-1]["content"][-1]["text"]


async def test_an_answer_that_never_holds_goes_to_a_person(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(PLAN), *(says(f"You get {amount}.50 USD back.") for amount in (11, 12, 13)))
    turn = await rig.ask(conversation, "How much do I get back for everything I ever bought?")
    assert turn.state == Turn.State.ESCALATED
    answer = (await rig.answer(conversation))["text"]
    assert "a person from our team" in answer
    assert ".50" not in answer
    escalation = await in_db(Escalation.objects.get, conversation=conversation)
    assert escalation.reason == "unsure"


async def test_a_mutation_only_proposes(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(ACTING),
        calls("cancel_order", {"order_number": "AP-100002", "reason": "changed my mind"}),
        says("Please check the card and press Confirm."),
    )
    turn = await rig.ask(conversation, "Please cancel AP-100002, I changed my mind")
    assert turn.state == Turn.State.ANSWERED
    action = await in_db(Action.objects.get, conversation=conversation)
    order = await in_db(Order.objects.get, order_number="AP-100002")
    assert (action.state, order.status) == ("proposed", "paid")
    assert [e["type"] for e in await rig.events(conversation)] == ["message", "action", "message", "turn"]
    sent = str(rig.model.asked)
    assert "token" not in str(await in_db(lambda: list(ToolCall.objects.values_list("result", flat=True))))
    assert "cancel_order" in sent


async def test_a_stranger_is_offered_no_mutation_and_a_call_of_one_is_refused(rig: Rig) -> None:
    conversation = await rig.begin()
    rig.model.add(
        plans(ACTING),
        calls("cancel_order", {"order_number": "AP-100002", "reason": "because"}),
        says("I need to check who you are first."),
    )
    await rig.ask(conversation, "Please cancel AP-100002, I changed my mind")
    assert "cancel_order" not in [tool["name"] for tool in rig.model.asked[1]["tools"]]
    call = await in_db(ToolCall.objects.get, tool="cancel_order")
    assert call.status == "invalid_arguments"
    assert not await in_db(Action.objects.exists)


async def test_wrong_arguments_go_back_to_the_model(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(PLAN),
        calls("lookup_order", {"number": 7}),
        calls("lookup_order", '{"order_number": "AP-1000'),
        says("Which order do you mean?"),
    )
    turn = await rig.ask(conversation, "Tell me all about my order please, the one I made")
    assert turn.state == Turn.State.ANSWERED
    statuses = await in_db(lambda: list(turn.steps.filter(kind="tool_call").values_list("status", flat=True)))
    assert statuses == ["invalid_arguments", "invalid_arguments"]


async def test_two_tools_of_one_reply_run_and_answer_in_order(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    both = Reply([tool_use("lookup_order", {"order_number": n}, id=f"toolu_{n}") for n in ("AP-100001", "AP-200001")])
    rig.model.add(plans(PLAN), both, says("One is yours, the other I could not find."))
    await rig.ask(conversation, "Compare AP-100001 with AP-200001 for me, would you")
    results = rig.model.asked[-1]["messages"][-1]["content"]
    assert [block["tool_use_id"] for block in results] == ["toolu_AP-100001", "toolu_AP-200001"]
    assert '"status":"success"' in results[0]["content"]
    assert '"status":"not_found"' in results[1]["content"]  # another customer's order is as good as none (I7)


async def test_the_same_call_three_times_is_pointed_out_then_escalated(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    again = [calls("lookup_order", {"order_number": "AP-100001"}) for _ in range(4)]
    rig.model.add(plans(PLAN), *again)
    turn = await rig.ask(conversation, "Tell me all about AP-100001, please, everything you can find")
    assert turn.state == Turn.State.ESCALATED
    assert "The result will not change" in str(rig.model.asked[-1]["messages"][-1])
    escalation = await in_db(Escalation.objects.get, conversation=conversation)
    assert escalation.reason == "loop"
    assert (await in_db(Conversation.objects.get, pk=conversation.pk)).status == "waiting"


async def test_a_model_that_fails_everywhere_leads_to_a_person(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(*(fails(400, "invalid_request_error", "no") for _ in range(3)))
    turn = await rig.ask(conversation, "Could you please tell me something about my things?")
    assert turn.state == Turn.State.ESCALATED
    assert (await in_db(Escalation.objects.get, conversation=conversation)).reason == "model_failing"
    assert (await in_db(lambda: turn.steps.filter(status="failed").count())) >= 1


async def test_what_postgresql_cannot_keep_fails_no_turn(rig: Rig) -> None:
    conversation = await rig.begin()
    rig.model.add(says("Hello\x00 there."))
    turn = await rig.ask(conversation, "hi")
    assert turn.state == Turn.State.ANSWERED
    assert (await rig.answer(conversation))["text"] == "Hello there."
