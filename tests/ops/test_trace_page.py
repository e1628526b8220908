"""One trace: evidence of claims, faults first, links to everything that belongs to it, and its part that grows."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.agent.prompts import prompt
from support_agent.models import PromptVersion, Task, ToolCall, Turn
from support_agent.ops.waterfall import Waterfall
from tests.cast import Cast
from tests.ops.made import call, escalate, signed_in, step, talk, turn
from tickets.models import Action, Conversation, Escalation, Feedback, Message
from tickets.services.messages import message_assistant, message_post

pytestmark = pytest.mark.django_db


def page(client: Client, conversation: Conversation, query: str = "") -> str:
    answer = client.get(f"/admin/traces/{conversation.pk}/{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def asked(of: Turn, tool: str, arguments: dict[str, Any], result: dict[str, Any], **values: Any) -> Any:
    return step(of, "tool_call", tool=tool, input=arguments, output=result, status=result["status"], **values)


@pytest.fixture
def ops(client: Client, cast: Cast) -> Client:
    return signed_in(client, cast)


@pytest.mark.parametrize("role", ["agent", "lead", "ops", "admin"])
def test_every_role_reads_a_trace_and_only_agents_may_not_export(role: str, client: Client, cast: Cast) -> None:
    conversation = talk()
    turn(conversation)
    signed_in(client, cast, role)
    assert page(client, conversation)
    wanted = 403 if role == "agent" else 200
    for path in (f"{conversation.pk}/export.json", f"{conversation.pk}/export.csv", "export.csv", "export.json",
                 "steps/export.csv", "steps/export.json"):  # fmt: skip
        assert client.get(f"/admin/traces/{path}").status_code == wanted, path
    assert client.get("/admin/traces/steps/").status_code == 200


def test_each_claim_leads_to_the_field_of_the_call_that_backs_it(ops: Client, cast: Cast) -> None:
    conversation = talk(cast.owner)
    first = turn(conversation, timedelta(hours=5))
    earlier = asked(first, "lookup_order", {}, {"status": "success", "total": "412.50", "currency": "USD"})
    now = turn(conversation)
    track = asked(now, "track_shipment", {}, {"status": "success", "shipments": [{"number": "ALD1234567890"}]})
    search = asked(now, "search_knowledge_base", {}, {"status": "success", "results": [
        {"n": 1, "title": "Return an item", "url": "/help/return-an-item/", "snippet": "Send it back within 30 days."}
    ]})  # fmt: skip
    claims = [
        {"claim": "ALD1234567890", "kind": "identifier", "tool": "track_shipment", "call": 0},
        {"claim": "30 days", "kind": "period", "tool": "search_knowledge_base", "call": 1},
        {"claim": "$412.50", "kind": "amount"},
        {"claim": "17 percent", "kind": "percentage"},
    ]
    step(now, "critic", output={"accepted": True, "claims": claims})
    shown = page(ops, conversation)
    assert f'href="#step-{track.pk}">track_shipment, step 0' in shown
    assert "shipments[0].number: ALD1234567890" in shown
    assert f'href="#step-{search.pk}">search_knowledge_base, step 1' in shown
    assert 'article <a href="/help/return-an-item/">Return an item</a>' in shown
    assert f'href="#step-{earlier.pk}">lookup_order, an earlier turn' in shown
    assert "total: 412.50" in shown
    assert "seen before the turns shown here" in shown  # of the percentage nothing is known


def test_a_number_the_customer_wrote_is_said_to_come_from_them(ops: Client, cast: Cast) -> None:
    conversation = talk(cast.owner)
    now = turn(conversation)
    said, _ = message_post(
        conversation=conversation, text="Where is AP-123456?", client_message_id=uuid4(), turn_id=now.pk
    )
    step(now, "critic", output={"accepted": True, "claims": [{"claim": "AP-123456", "kind": "identifier"}]})
    assert f'href="#event-{said.seq}">the customer wrote it' in page(ops, conversation)


def test_what_a_rejected_answer_was_held_against_is_shown(ops: Client) -> None:
    now = turn(talk())
    issues = [{"rule": "unbacked_amount", "detail": "“$9” is in no tool result"}]
    step(now, "critic", status="failed", output={"accepted": False, "issues": issues, "text": "It costs <b>$9</b>."})
    shown = page(ops, now.conversation)
    assert "unbacked_amount" in shown
    assert "It costs &lt;b&gt;$9&lt;/b&gt;." in shown


def test_faults_of_the_whole_conversation_come_first_with_links(ops: Client) -> None:
    conversation = talk()
    old = turn(conversation, timedelta(hours=5), state="failed", error="given up after 5 attempts")
    failed = step(old, "tool_call", tool="lookup_order", status="error", error="This took too long to fetch.")
    for n in range(30):  # the old turn is on another page by now
        step(turn(conversation, timedelta(minutes=60 - n)), "model_call")
    shown = page(ops, conversation)
    faults = shown[shown.index("What went wrong") : shown.index('id="figures"')]
    assert f"/admin/traces/{conversation.pk}/?turn={old.pk}#turn-{old.pk}" in faults
    assert f"?turn={old.pk}#step-{failed.pk}" in faults
    assert "given up after 5 attempts" in faults
    assert f'id="step-{failed.pk}"' not in shown
    assert f'id="step-{failed.pk}"' in page(ops, conversation, f"?turn={old.pk}")


def test_pages_of_a_long_conversation_show_each_turn_once(ops: Client) -> None:
    conversation = talk()
    made = [turn(conversation, timedelta(minutes=90 - n)) for n in range(60)]
    seen: list[Turn] = []
    address = f"/admin/traces/{conversation.pk}/"
    while address:
        found = ops.get(address).context
        seen = [part.turn for part in found["parts"] if part.turn] + seen
        older = found["trace"].older
        address = f"/admin/traces/{conversation.pk}/?before={older}" if older else ""
    assert seen == made


def test_turns_of_many_steps_make_shorter_pages(ops: Client) -> None:
    conversation = talk()
    made = [turn(conversation, timedelta(minutes=90 - n), step_count=25) for n in range(20)]
    found = ops.get(f"/admin/traces/{conversation.pk}/").context
    assert [part.turn for part in found["parts"]] == made[12:]
    found = ops.get(f"/admin/traces/{conversation.pk}/?turn={made[2].pk}").context
    assert [part.turn for part in found["parts"]] == made[2:10]
    assert (found["trace"].older, found["trace"].newer) == (made[2].pk, made[10].pk)


def test_a_call_leads_to_its_action_and_its_record(ops: Client, cast: Cast) -> None:
    conversation = talk(cast.owner)
    now = turn(conversation)
    action = Action.objects.create(
        conversation=conversation, customer=cast.owner, turn_id=now.pk, idempotency_key="k", tool="cancel_order",
        arguments={}, summary="Cancel order AP-1", state="done", expires_at=timezone.now(),
    )  # fmt: skip
    asked(now, "cancel_order", {"order_number": "AP-1"}, {"status": "pending_confirmation"})
    row = ToolCall.objects.create(
        turn=now, conversation=conversation, tool="cancel_order", tool_use_id="t", arguments={"order_number": "AP-1"},
        idempotency_key="k2", status="success", result={"status": "success"}, action=action,
    )  # fmt: skip
    shown = page(ops, conversation)
    assert f'id="call-{row.pk}"' in shown
    assert f'href="#action-{action.pk}"' in shown
    assert f'id="action-{action.pk}"' in shown
    assert f'href="#turn-{now.pk}">Its turn' in shown
    assert f"/admin/support_agent/toolcall/{row.pk}/change/" in shown
    assert "without a step" not in shown


def test_an_escalation_and_its_turn_lead_to_each_other(ops: Client) -> None:
    conversation = talk()
    now = turn(conversation, state="escalated", finished_at=timezone.now())
    step(now, "escalate", output={"reason": "unsure"}, status="escalated")
    escalate(conversation, "unsure", timedelta(minutes=1))
    one = Escalation.objects.get()
    shown = page(ops, conversation)
    assert f'href="#escalation-{one.pk}">escalation: unsure' in shown
    assert f'href="#turn-{now.pk}">Its turn' in shown
    assert f"/admin/tickets/escalation/{one.pk}/change/" in shown


@pytest.mark.parametrize(
    ("reason", "raised_by"),
    [("asked", "Asked for by the button"), ("money", "Raised by confirming an action"), ("unsure", "")],
)
def test_what_raised_an_escalation_without_a_turn_is_told_as_it_was(
    ops: Client, cast: Cast, reason: str, raised_by: str
) -> None:
    conversation = talk(cast.owner)
    if reason == "money":
        Action.objects.create(
            conversation=conversation, customer=cast.owner, tool="request_refund", arguments={}, summary="s",
            preview={}, idempotency_key="k", expires_at=timezone.now(), state="awaiting_staff",
        )  # fmt: skip
    escalate(conversation, reason)
    shown = page(ops, conversation)
    for words in ("Asked for by the button", "Raised by confirming an action"):
        assert (words in shown) == (words == raised_by)


def test_background_tasks_and_the_conversation_they_are_about_lead_to_each_other(ops: Client, cast: Cast) -> None:
    conversation, own = talk(cast.owner), talk()
    Conversation.objects.filter(pk=own.pk).update(channel=Conversation.Channel.TASK)
    turn(conversation)
    worked = turn(own, surface="background")
    Task.objects.create(
        purpose="draft",
        about=conversation,
        task="Draft a reply",
        budget_usd="0.1",
        turn=worked,
        requested_by=cast.agent,
    )
    assert f"/admin/traces/{own.pk}/?turn={worked.pk}#turn-{worked.pk}" in page(ops, conversation)
    assert f'href="/admin/traces/{conversation.pk}/">this conversation' in page(ops, own)
    assert "Open in the inbox" in page(ops, conversation)
    assert "Open in the inbox" not in page(ops, own), "there is nobody to answer"


def test_the_prompt_a_turn_had_is_shown_with_what_changed_since(ops: Client) -> None:
    conversation = talk()
    mine = PromptVersion.objects.create(name="assistant", number=4, text="Be kind.\nBe <short>.")
    turn(conversation, prompt_version="assistant-db4-00000000")
    turn(conversation, prompt_version=prompt("assistant").version)
    from support_agent.agent.prompts import named

    turn(conversation, prompt_version=named("assistant", "db4", mine.text).version)
    shown = page(ops, conversation)
    assert "the file, in use now" in shown
    assert "Be &lt;short&gt;." in shown
    assert "<del>Be kind.</del>" in shown
    assert "its text of then is not in the database" in shown  # the hash is of another text


def test_thumbs_and_odd_plans_are_shown(ops: Client) -> None:
    conversation = talk()
    now = turn(conversation)
    step(now, "plan", output={"goal": "x", "confidence": "very", "steps": "none"}, input=[])
    step(now, "model_call", model="m", output={"content": "not a list"}, input={"newest": [1, {"content": [3]}]})
    step(now, "critic", output={"claims": ["odd", {"claim": 3}], "issues": "odd"})
    message_assistant(conversation=conversation, text="Hello", turn_id=now.pk, message_id=uuid4(), sources=[])
    Feedback.objects.create(message=Message.objects.get(role="assistant"), helpful=False, reason="too <vague>")
    assert "did not find this helpful: too &lt;vague&gt;" in page(ops, conversation)


def test_calls_of_one_reply_overlap(cast: Cast) -> None:
    now = turn(talk(), timedelta(seconds=4), finished_at=timezone.now())
    end = now.created_at + timedelta(seconds=2)
    for took in (900, 400):
        made = asked(now, "lookup_order", {}, {"status": "success"}, duration_ms=took)
        type(made).objects.filter(pk=made.pk).update(created_at=end)
    alone = asked(now, "track_shipment", {}, {"status": "success"}, attempt=2, duration_ms=10)
    fall = Waterfall.of(now, list(now.steps.order_by("attempt", "index")))
    assert fall is not None
    long, short, other = fall.bars
    assert long.x == short.x
    assert (long.beside, short.beside, other.beside) == (2, 2, 0)
    assert long.width > short.width
    assert other.step == alone


def test_a_running_turn_is_asked_for_until_it_ends(ops: Client) -> None:
    conversation = talk()
    done, now = turn(conversation, timedelta(minutes=5)), turn(conversation, timedelta(0), state="running")
    step(done, "model_call")
    step(now, "plan")
    Turn.objects.filter(pk=now.pk).update(step_count=1)
    shown = page(ops, conversation)
    address = shown.split('<div id="live" hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert f"turn={now.pk}" in address
    assert ops.get(address).status_code == 204  # nothing new
    step(now, "tool_call", tool="lookup_order", status="success")
    Turn.objects.filter(pk=now.pk).update(step_count=2)
    answer = ops.get(address)
    part = answer.content.decode()
    assert answer.status_code == 200
    assert "lookup_order" in part
    assert f"turn-{done.pk}" not in part
    assert 'hx-trigger="every 1s"' in part
    Turn.objects.filter(pk=now.pk).update(state="answered")
    last = ops.get(address).content.decode()
    assert '<div id="live">' in last
    assert "The turn has ended" in last
    assert "look again" in last
    assert "look again" not in part


def test_a_page_without_a_running_turn_asks_for_nothing(ops: Client) -> None:
    conversation = talk()
    turn(conversation)
    shown = page(ops, conversation)
    assert '<div id="live">' in shown
    assert (
        f'What comes later is not shown by itself: <a href="/admin/traces/{conversation.pk}/">look again</a>' in shown
    )
    assert ops.get(f"/admin/traces/{conversation.pk}/live/").status_code == 404
    other = turn(talk())
    assert ops.get(f"/admin/traces/{conversation.pk}/live/?turn={other.pk}").status_code == 404


def test_every_record_leads_to_its_place(ops: Client, cast: Cast) -> None:
    conversation = talk(cast.owner)
    now = turn(conversation)
    one = step(now, "model_call")
    used = call(now, "lookup_order")
    said, _ = message_post(conversation=conversation, text="Hi", client_message_id=uuid4(), turn_id=now.pk)
    escalate(conversation, "asked")
    home = f"/admin/traces/{conversation.pk}/"
    places = {
        conversation.pk: home,
        now.pk: f"{home}?turn={now.pk}#turn-{now.pk}",
        one.pk: f"{home}?turn={now.pk}#step-{one.pk}",
        used.pk: f"{home}?turn={now.pk}#call-{used.pk}",
        said.pk: f"{home}?turn={now.pk}#event-{said.seq}",
        Escalation.objects.get().pk: f"{home}#escalation-{Escalation.objects.get().pk}",
    }
    for key, place in places.items():
        assert ops.get(f"/admin/traces/find/{key}/")["Location"] == place
    assert ops.get(f"/admin/traces/find/{uuid4()}/").status_code == 404
    for record in (f"support_agent/turn/{now.pk}", f"support_agent/step/{one.pk}", f"tickets/message/{said.pk}"):
        assert "/admin/traces/find/" in ops.get(f"/admin/{record}/change/").content.decode()


def test_the_csv_of_one_conversation_has_its_steps(ops: Client) -> None:
    now = turn(talk())
    step(now, "tool_call", tool="lookup_order", status="error", error="=cmd()")
    answer = ops.get(f"/admin/traces/{now.conversation_id}/export.csv")
    assert answer.streaming
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [(row["tool"], row["error"]) for row in rows] == [("lookup_order", "'=cmd()")]
