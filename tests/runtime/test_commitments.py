"""Words that commit us to a time become promises; rules, other people's deeds and conditions do not."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from support_agent.agent.types import Outcome
from support_agent.runtime.claims import claim
from support_agent.runtime.commitments import commitments, promise_said, suggested
from support_agent.runtime.turns import finish
from tests.cast import Cast
from tests.fakes.replies import plans, says
from tests.runtime.conftest import Rig, begin, post
from tests.runtime.test_answers import PLAN
from tickets.db import in_db
from tickets.models import Escalation, Message, Promise
from tickets.services.conversations import conversation_claim, conversation_create, conversation_hand_back
from tickets.services.escalations import escalation_open
from tickets.services.promises import promise_make
from tickets.services.replies import reply_post
from tickets.workspace import DEFAULT

SHOP = DEFAULT.opening.zone
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=SHOP)


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("I'll write to you by Monday.", "Mon 23 Nov 18:00"),
        ("I’ll send you the label this afternoon.", "Fri 20 Nov 18:00"),
        ("We will call you within two hours.", "Fri 20 Nov 12:00"),
        ("I will look into it and get back to you tomorrow.", "Sat 21 Nov 18:00"),
        ("We'll refund you 20.00 USD within 5-7 business days [1].", "Tue 01 Dec 18:00"),
        ("Our team will look at it within 1 working day.", "Mon 23 Nov 18:00"),
        ("We'll ship your replacement by November 24, 2026.", "Tue 24 Nov 18:00"),
        ("We will write to you by 24 November.", "Tue 24 Nov 18:00"),
        ("I am going to let you know next week.", "Fri 27 Nov 18:00"),
        ("We'll send you the invoice by Friday.", "Fri 20 Nov 18:00"),
        ("I'll answer you tonight.", "Fri 20 Nov 23:59"),
        ("We will write to you by 3 January.", "Sun 03 Jan 18:00"),
        ("We will refund you within 5 business days.", "Fri 27 Nov 18:00"),
        ("I'll get back to you by tomorrow noon.", "Sat 21 Nov 18:00"),
        ("We will call you in 2 hours.", "Fri 20 Nov 12:00"),
        ("We'll email you in the next 24 hours.", "Sat 21 Nov 18:00"),
        ("We will send that to you within about three days.", "Mon 23 Nov 18:00"),
        ("By Monday, I'll send you the label.", "Mon 23 Nov 18:00"),
        ("Tomorrow we will call you.", "Sat 21 Nov 18:00"),
        ("Within 2 hours we will call you.", "Fri 20 Nov 12:00"),
        ("I'll do that for you today.", "Fri 20 Nov 18:00"),
        ("We will refund you within 2 days from now.", "Sun 22 Nov 18:00"),
        ("I'll keep you posted and write to you by Monday.", "Mon 23 Nov 18:00"),
        ("I'll send you the label and the invoice by Monday.", "Mon 23 Nov 18:00"),
        ("I will check with the warehouse, and I'll write to you by Monday.", "Mon 23 Nov 18:00"),
        ("I'll send you a code within 2 hours, which works for 10 days.", "Fri 20 Nov 12:00"),
        # The deed's own day, not the one of the order.
        ("I'll cancel this order today, which was placed 2 days ago.", "Fri 20 Nov 18:00"),
    ],
)
def test_a_commitment_and_its_time(words: str, due: str) -> None:
    (found,) = commitments(f"Thank you. {words}", FRIDAY)
    assert f"{found.due_at.astimezone(SHOP):%a %d %b %H:%M}" == due
    assert found.text == words.replace(" [1]", "")


def test_bold_words_are_words() -> None:
    (found,) = commitments("We will call you within **2 hours**.", FRIDAY)
    assert f"{found.due_at:%H:%M}" == "12:00"
    assert found.text == "We will call you within 2 hours."


@pytest.mark.parametrize(
    "words",
    [
        "Your parcel will arrive tomorrow.",
        "If you send it back, we will refund you within 3 days.",
        "We will refund you within 5 days after the parcel reaches us.",
        "Will we see you tomorrow?",
        "We will not call you today.",
        "We will usually answer you within 2 hours.",
        "We will keep your account for 10 years.",
        "We will help you right away.",
        "We answered you yesterday.",
        "You will hear within 2 days.",
        "I'll send you a code that works for 10 minutes.",
        "We will take this back within 30 days of delivery.",
        "We will take this back within 30 days.",
        "We will refund you within 30 days of delivery.",
        "We'll email the label to you, and it is valid for 30 days.",
        "We'll email the label to you, valid for 30 days.",
        "I'll cancel this order, which was placed 2 days ago.",
        "I'll be glad to help you with this order, which arrives tomorrow.",
        "I'll be happy to help you today.",
        "We'll hold your order for 24 hours.",
        "We will send you a new one, and your parcel will be there by Friday.",
        "I'll look into the order you placed on 24 November.",
        "I'll send you today's invoice.",
        "We'll refund you the 2 day delivery.",
        "I'll send you the label now; returns are accepted within 30 days.",
        "I'll tell you our rules: you can return it within 30 days.",
        # Times that nobody could mean, and that no calendar has.
        "We will refund you within 99999999999 days.",
        "We will refund you within 9999999 business days.",
        "We will refund you within 99999999999999999999999999999999 business days.",
        "We will refund you within 0.5 seconds.",
        "We will refund you by 9999-12-31.",
        "We will refund you by 0001-01-01.",
    ],
)
def test_what_commits_us_to_nothing(words: str) -> None:
    assert commitments(words, FRIDAY) == []


def test_that_a_person_answers_is_promised_once(cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    escalation_open(conversation=conversation, reason="asked")
    text = "A colleague will answer you within 15 minutes. I'll send you the label within 2 hours."
    (reply, _other) = commitments(text, FRIDAY)
    assert reply.kind == "reply"
    for _ in range(2):
        promise_said(conversation=conversation, text=text, now=datetime.now(SHOP))
    assert [promise.kind for promise in Promise.objects.order_by("created_at")] == ["reply", "other"]


def test_what_staff_wrote_is_offered_as_a_promise_until_it_is_one(cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    for words in ("I'll send you the label within 2 hours.", "Your parcel arrives soon.", "We will call you tomorrow!"):
        reply_post(conversation_id=conversation.pk, staff=cast.agent, text=words)
    now = datetime.now(SHOP)
    label, call = suggested(conversation, now)
    assert (label.text, call.text) == ("I'll send you the label within 2 hours.", "We will call you tomorrow!")
    promise_make(conversation=conversation, text=label.text, due_at=label.due_at, made_by=cast.agent)
    assert suggested(conversation, now) == [call]
    assert suggested(conversation, call.due_at) == [], "what is over is no offer"


async def test_what_the_assistant_says_we_do_by_a_time_becomes_a_card(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)

    def staff_before() -> None:
        claimed = conversation_claim(conversation_id=conversation.pk, staff=rig.cast.agent)
        reply_post(conversation_id=conversation.pk, staff=rig.cast.agent, text="The warehouse calls within 2 hours.")
        conversation_hand_back(conversation=claimed, staff=rig.cast.agent)

    await in_db(staff_before)
    rig.model.add(plans(PLAN), says("Yes: we will call you within 2 hours."))
    turn = await rig.ask(conversation, "So what happens now with my complaint about the tent?")
    events = await rig.events(conversation)
    promises = [event["promise"] for event in events if event["type"] == "promise"]
    assert [(promise["text"], promise["state"]) for promise in promises] == [
        ("Yes: we will call you within 2 hours.", "open")
    ]
    assert (turn.state, events[-1]["type"]) == ("answered", "turn")


@pytest.mark.parametrize("is_stopped", [True, False])
def test_what_a_stopped_turn_left_half_said_promises_nothing(cast: Cast, is_stopped: bool) -> None:
    post(begin(), "What happens now?")
    (turn,) = claim("one", 10)
    said = "Yes: we will call you within 2 hours."
    finish(turn, Outcome("answered", "" if is_stopped else said), shown=said)
    assert Message.objects.filter(text=said).count() == 1
    assert Promise.objects.count() == (not is_stopped)


def test_a_time_no_calendar_has_harms_neither_turn_nor_thread(cast: Cast, client: Client) -> None:
    post(conversation := begin(), "When do I get my money?")
    (turn,) = claim("one", 10)
    finish(turn, Outcome("answered", "We will refund you within 99999999999 days."))
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    text = "We will refund you within 9999999 business days."
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text=text)
    client.force_login(cast.agent)
    assert client.get(f"/admin/inbox/{conversation.pk}/").status_code == 200
    assert Promise.objects.count() == 0


async def test_asking_for_a_person_needs_no_second_question(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    unsure = {**PLAN, "confidence": 0.1}
    rig.model.add(plans(unsure), says("Of course. What is it about?"))
    turn = await rig.ask(conversation, "I want to talk to a real person please")
    assert turn.state == "escalated"
    escalation = await in_db(lambda: Escalation.objects.get(conversation=conversation))
    assert escalation.reason == "asked"
    (said,) = [e["message"] for e in await rig.events(conversation) if e["type"] == "message"][1:]
    assert "?" not in said["text"]
    assert "A person will answer" in said["text"]
