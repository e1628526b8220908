"""A careful start: who answers on a surface, by mode; drafts that only staff see; what customers are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from support_agent.agent.routing import LOOK
from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolResult
from support_agent.models import Draft, Step, SurfaceMode, Task, ToolCall, Turn
from support_agent.models.limits import Spend
from support_agent.runtime import controls
from support_agent.runtime.breakers import escalation_share
from support_agent.runtime.careful import hand_back
from support_agent.runtime.controls import mode_set, switch_on
from support_agent.runtime.modes import Answering, place_of
from support_agent.runtime.submit import Submitted, request_human
from support_agent.tools import own
from tests.cast import Cast
from tests.fakes.replies import calls, plans, says
from tests.runtime.conftest import Rig, begin, ended, post
from tests.runtime.test_answers import PLAN
from tickets.db import in_db
from tickets.errors import Conflict, DeskError, NotAllowed
from tickets.models import AuditEntry, Conversation, Escalation, Event, Message, User
from tickets.selectors.conversations import events_after
from tickets.services.conversations import conversation_claim, conversation_close
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant
from tickets.services.replies import reply_post

HELLO = "Hello, where is my order AP-100001?"
MODE = SurfaceMode.Mode


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    controls.forget()
    yield
    controls.forget()


def turn_to(mode: str, by: User, surface: str = "signed_in", percent: int = 100, rest: str = "drafts") -> None:
    mode_set(surface=surface, mode=mode, percent=percent, rest=rest, staff=by, reason="a careful start")
    controls.forget()


def told(conversation: Conversation) -> list[dict[str, Any]]:
    return events_after(conversation.pk, 0)


def said_by(conversation: Conversation, role: str) -> list[str]:
    return list(
        Message.objects.filter(conversation=conversation, role=role).order_by("seq").values_list("text", flat=True)
    )


async def drafted(rig: Rig, conversation: Conversation, text: str = HELLO) -> Draft:
    """The customer writes; the draft of it, once its turn has ended."""
    submitted = await in_db(post, conversation, text)
    assert submitted.turn is None
    draft = await in_db(
        lambda: Draft.objects.select_related("task__turn").get(task__about=conversation, upto_seq=submitted.message.seq)
    )
    assert draft.task.turn is not None
    await ended(draft.task.turn)
    return await in_db(lambda: Draft.objects.select_related("task__turn").get(pk=draft.pk))


# ---- off


async def test_off_no_turn_runs_and_the_customer_is_told_that_people_answer(rig: Rig) -> None:
    await in_db(turn_to, "off", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    submitted: Submitted = await in_db(post, conversation, HELLO)
    assert submitted.turn is None
    assert not await in_db(lambda: Turn.objects.exists() or Task.objects.exists())
    found = await in_db(lambda: Conversation.objects.get(pk=conversation.pk))
    escalation = await in_db(lambda: Escalation.objects.get(conversation=conversation))
    assert (found.status, escalation.reason, escalation.status) == ("waiting", "people_first", "waiting")
    [words] = await in_db(said_by, conversation, "system")
    assert "People answer here, not our assistant" in words
    assert (await in_db(post, conversation, "Are you there?")).turn is None
    assert len(await in_db(said_by, conversation, "system")) == 1  # told once
    assert rig.model.asked == []


def test_off_other_surfaces_keep_the_assistant(cast: Cast) -> None:
    turn_to("off", cast.ops, "anonymous")
    assert post(begin(cast.owner), HELLO).turn is not None
    assert post(begin(), HELLO).turn is None


def test_off_who_asked_for_a_person_before_waits_with_the_reason_they_gave(cast: Cast) -> None:
    turn_to("off", cast.ops)
    conversation = begin(cast.owner)
    request_human(conversation=conversation)
    assert post(conversation, HELLO).turn is None
    assert Escalation.objects.get().reason == "asked"
    assert not any("not our assistant" in words for words in said_by(conversation, "system"))


def test_turned_down_a_running_conversation_is_handed_over_with_its_next_message(cast: Cast) -> None:
    conversation = begin(cast.owner)
    turn = post(conversation, HELLO).turn
    assert turn is not None
    Turn.objects.filter(pk=turn.pk).update(state="running", attempt=1, owner="x")
    turn_to("off", cast.ops)
    assert Conversation.objects.get().status == "ai"  # nothing happens before they write
    assert post(conversation, "And the other one?").turn is None
    turn.refresh_from_db()
    assert (turn.state, turn.stop_requested) == ("escalated", "people_first")
    kinds = [(e["type"], e.get("state") or e.get("status")) for e in told(conversation)]
    assert kinds.index(("turn", "escalated")) < kinds.index(("status", "waiting"))
    assert "People answer here" in said_by(conversation, "system")[0]


def test_turned_down_who_waits_and_was_helped_meanwhile_is_told_that_the_assistant_fell_silent(cast: Cast) -> None:
    conversation = begin(cast.owner)
    escalation_open(conversation=conversation, reason="money")
    turn = post(conversation, HELLO).turn
    assert turn is not None
    message_assistant(conversation=conversation, text="A colleague looks at it.", turn_id=turn.pk)
    Turn.objects.filter(pk=turn.pk).update(state="answered")
    turn_to("off", cast.ops)
    for _ in range(2):
        assert post(conversation, "And?").turn is None
    assert [("not our assistant" in words) for words in said_by(conversation, "system")] == [True]
    assert Escalation.objects.get().reason == "money"


async def test_a_turn_that_waited_while_its_surface_was_turned_down_does_not_run(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)

    def between() -> Turn:
        turn = post(conversation, HELLO).turn
        assert turn is not None
        SurfaceMode.objects.create(surface="signed_in", mode="off", reason="x")  # as another process saw it later
        return turn

    controls.forget()
    rig.model.add(says("It is on its way."))
    turn = await ended(await in_db(_committed_together, between))
    assert turn.state == "escalated"
    assert rig.model.asked == []
    assert await in_db(lambda: Escalation.objects.get().reason) == "people_first"
    assert not await in_db(said_by, conversation, "assistant")


def _committed_together(make: Any) -> Any:
    with transaction.atomic():
        made = make()
    controls.forget()
    return made


def test_turned_up_new_conversations_get_the_assistant_and_those_with_people_stay_there(cast: Cast) -> None:
    turn_to("off", cast.ops)
    old = begin(cast.owner)
    post(old, HELLO)
    turn_to("live", cast.ops)
    assert post(old, "Still there?").turn is None
    assert post(begin(cast.owner), HELLO).turn is not None
    conversation_claim(conversation_id=old.pk, staff=cast.agent)
    hand_back(conversation=old, staff=cast.agent)
    assert post(old, "Hello again").turn is not None


def test_where_people_answer_there_is_nobody_to_hand_back_to(cast: Cast) -> None:
    turn_to("drafts", cast.ops)
    conversation = begin(cast.owner)
    post(conversation, HELLO)
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    with pytest.raises(Conflict, match="People answer"):
        hand_back(conversation=conversation, staff=cast.agent)
    assert Conversation.objects.get(channel="chat").status == "human"


# ---- live for a share


def test_a_share_is_sticky_and_raising_it_takes_the_assistant_from_nobody() -> None:
    ids = [uuid4() for _ in range(2000)]
    shares = {n: {one for one in ids if Answering(MODE.LIVE, n).of(one) == "live"} for n in (0, 10, 50, 100)}
    assert shares[0] == set()
    assert shares[0] < shares[10] < shares[50] < shares[100] == set(ids)
    assert 120 < len(shares[10]) < 290
    assert Answering(MODE.LIVE, 10, MODE.OFF).of(next(iter(shares[100] - shares[10]))) == "off"


def test_the_others_get_what_was_chosen(cast: Cast) -> None:
    turn_to("live", cast.ops, percent=0, rest="off")
    assert post(begin(cast.owner), HELLO).turn is None
    assert not Draft.objects.exists()
    turn_to("live", cast.ops, percent=50, rest="drafts")
    conversations = [begin(cast.owner) for _ in range(12)]
    answered = {one.pk for one in conversations if post(one, HELLO).turn is not None}
    assert answered == {one.pk for one in conversations if place_of(one.pk) < 5000}
    assert set(Draft.objects.values_list("task__about", flat=True)) == {one.pk for one in conversations} - answered


# ---- who may set it


def test_a_mode_needs_ops_or_admin_and_a_reason_and_is_audited(cast: Cast) -> None:
    for staff in (cast.agent, cast.lead):
        with pytest.raises(NotAllowed):
            turn_to("off", staff)
    for wrong in ({"reason": " "}, {"percent": 101}, {"mode": "on"}, {"surface": "background"}, {"rest": "live"}):
        values = {"surface": "signed_in", "mode": "off", "percent": 100, "rest": "off", "reason": "x"} | wrong
        with pytest.raises(DeskError):
            mode_set(staff=cast.ops, **values)  # type: ignore[arg-type]
    turn_to("drafts", cast.ops)
    turn_to("off", cast.admin)
    entries = AuditEntry.objects.filter(action="surface.mode").order_by("created_at")
    assert [entry.actor for entry in entries] == [cast.ops, cast.admin]
    assert {v.field: (v.before, v.after) for v in entries[1].values.all()}["mode"] == ("drafts", "off")


def test_who_waits_because_people_answer_does_not_trip_the_breaker(cast: Cast) -> None:
    turn_to("off", cast.ops)
    for _ in range(3):
        post(begin(cast.owner), HELLO)
    post(begin(), HELLO)
    assert Escalation.objects.count() == 3
    assert escalation_share(timezone.now()) == (1, 0.0)


# ---- drafts


async def test_a_draft_looks_up_in_the_company_s_own_tools_and_acts_with_none(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = []

    def stock(context: ToolContext, arguments: Arguments) -> ToolResult:
        asked_for.append(context.customer_id)
        return ToolResult(Status.SUCCESS, {"pieces": 7})

    def never(context: ToolContext, arguments: Arguments) -> ToolResult:
        raise AssertionError("a draft acts")

    looking = Tool("stock_level", "Pieces in stock.", Arguments, stock, Category.LOOKUP, "Looking …")
    acting = Tool("book_slot", "Book a repair.", Arguments, never, Category.MUTATION, "Booking …")
    monkeypatch.setattr(own, "_own", {tool.name: tool for tool in (looking, acting)})
    await in_db(turn_to, "drafts", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    steps = [{"type": "take_action", "priority": "required", "description": "book it"}]
    rig.model.add(
        plans({**PLAN, "steps": steps, "tools": ["stock_level", "book_slot"]}),
        calls("book_slot", {}),
        calls("stock_level", {}),
        says("There are 7 pieces of it."),
    )
    draft = await drafted(rig, conversation, "Please look how many tents you have, and book me a repair of mine")
    assert draft.task.result == "There are 7 pieces of it."
    assert asked_for == [rig.cast.owner.pk]
    offered = {tool["name"] for tool in rig.model.asked[1]["tools"]}
    assert offered == {*LOOK, "escalate_to_human", "stock_level"}
    assert "book_slot" not in str(rig.model.asked[0])
    assert await in_db(lambda: Step.objects.get(turn=draft.task.turn, tool="book_slot").status) == "invalid_arguments"


async def test_a_draft_is_the_assistants_answer_and_nothing_of_it_reaches_the_customer(rig: Rig) -> None:
    await in_db(turn_to, "drafts", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans({**PLAN, "steps": [{"type": "take_action", "priority": "required", "description": "cancel it"}]}),
        calls("cancel_order", {"order_number": "AP-100002", "reason": "x"}),
        calls("lookup_order", {"order_number": "AP-100001"}),
        says("AP-100001 was 180.00 USD."),
    )
    draft = await drafted(rig, conversation, "Please cancel AP-100002 and tell me everything about AP-100001")
    assert (draft.outcome, draft.task.state, draft.task.result) == ("open", "done", "AP-100001 was 180.00 USD.")
    assert (draft.surface, draft.language, draft.model) == ("signed_in", "en", "claude-sonnet-5-5")
    turn = draft.task.turn
    assert turn is not None
    assert turn.prompt_version.startswith("assistant-")  # the one that will answer, not the one of summaries
    offered = {tool["name"] for tool in rig.model.asked[1]["tools"]}
    assert offered == {*LOOK, "escalate_to_human"}
    refused = await in_db(lambda: Step.objects.get(turn=turn, tool="cancel_order").status)
    assert refused == "invalid_arguments"
    kinds = [event["type"] for event in await in_db(told, conversation)]
    assert kinds == ["message", "message", "status", "promise"]
    assert not await in_db(said_by, conversation, "assistant")
    assert "180.00" not in str(await in_db(told, conversation))
    assert not await in_db(lambda: ToolCall.objects.filter(conversation=conversation).exists())


async def test_a_draft_counts_towards_the_customers_limits(rig: Rig) -> None:
    await in_db(turn_to, "drafts", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says("Hello."))
    draft = await drafted(rig, conversation, "hello")
    assert draft.task.turn is not None
    cost = draft.task.turn.cost_usd
    assert cost > 0
    spent = await in_db(lambda: {(s.scope, s.key): s.spent_usd for s in Spend.objects.all()})
    assert spent["conversation", str(conversation.pk)] == cost
    assert spent["customer", str(rig.cast.owner.pk)] == cost
    assert spent["system", "all"] == cost
    await in_db(lambda: Spend.objects.filter(scope="conversation").update(spent_usd="1.9999"))
    rig.model.add(says("Hello."))
    full = await drafted(rig, conversation, "hello")
    assert (full.outcome, full.no_draft) == ("none", "budget")


async def test_no_draft_says_why(rig: Rig) -> None:
    await in_db(turn_to, "drafts", rig.cast.ops)
    failing = await drafted(rig, await rig.begin(rig.cast.owner), "hello")  # the script is at its end
    assert (failing.outcome, failing.no_draft) == ("none", "model_failing")
    rig.model.add(
        calls("escalate_to_human", {"reason": "legal", "summary": "A lawyer writes."}), says("A person answers.")
    )
    wish = await drafted(rig, await rig.begin(rig.cast.owner), "hello")
    assert (wish.outcome, wish.no_draft) == ("none", "legal")
    assert set(await in_db(lambda: list(Escalation.objects.values_list("reason", flat=True)))) == {"people_first"}
    await in_db(switch_on, name="stop_assistant", staff=rig.cast.ops, reason="x")
    controls.forget()
    stopped = await drafted(rig, await rig.begin(rig.cast.owner), "hello")
    assert (stopped.outcome, stopped.no_draft) == ("none", "model_failing")


async def test_who_writes_on_gets_a_new_draft_of_all_they_wrote(rig: Rig) -> None:
    await in_db(turn_to, "drafts", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says("Hello."), plans(PLAN), says("Hello again."))
    first = await drafted(rig, conversation, "hello")
    second = await drafted(rig, conversation, "hi there")
    await in_db(first.refresh_from_db)
    assert (first.outcome, second.outcome) == ("overtaken", "open")
    assert second.task.task == "hello\n\nhi there"


async def test_a_person_who_has_it_gets_drafts_too_and_answering_settles_them(rig: Rig) -> None:
    await in_db(turn_to, "drafts", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says("Hello."), says("Thank you."))
    first = await drafted(rig, conversation, "hello")
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=rig.cast.agent)
    await in_db(lambda: reply_post(conversation_id=conversation.pk, staff=rig.cast.agent, text="Hi Olivia"))
    second = await drafted(rig, conversation, "thanks")
    assert second.task.task == "thanks"
    assert second.task.result == "Thank you."
    assert first.pk != second.pk


async def test_closing_overtakes_what_nobody_used(rig: Rig) -> None:
    await in_db(turn_to, "drafts", rig.cast.ops)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says("Hello."))
    draft = await drafted(rig, conversation, "hello")
    await in_db(conversation_close, conversation=conversation)
    await in_db(draft.refresh_from_db)
    assert draft.outcome == "overtaken"


@pytest.mark.django_db
def test_the_api_answers_without_a_turn_and_shows_no_draft(client: Client, cast: Cast) -> None:
    turn_to("drafts", cast.ops, "anonymous")
    made = client.post("/api/v1/conversations", {}, content_type="application/json").json()
    auth = {"Authorization": f"Bearer {made['token']}"}
    url = f"/api/v1/conversations/{made['id']}"
    body = {"client_message_id": str(uuid4()), "text": HELLO}
    answer = client.post(f"{url}/messages", body, content_type="application/json", headers=auth)
    assert (answer.status_code, answer.json()["turn"]) == (202, None)
    turn = Turn.objects.get()
    Task.objects.update(state="done", result="A secret draft.")
    assert client.get(f"/api/v1/turns/{turn.pk}", headers=auth).status_code == 404
    events = client.get(f"{url}/events", headers=auth).json()
    assert [e["type"] for e in events["events"]] == ["message", "message", "status", "promise"]
    assert "secret" not in str(events)
    assert Event.objects.filter(conversation=made["id"], type="turn").count() == 0
