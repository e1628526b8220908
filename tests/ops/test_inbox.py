"""A thread of the inbox: taking over, answering, handing back, closing, deciding what is over a click's limit."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from tickets.models import Action, AuditEntry, Conversation, Customer, Message, Refund
from tickets.services.conversations import conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post

pytestmark = pytest.mark.django_db


def waiting(customer: Customer, reason: str = "asked") -> Conversation:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")
    message_post(conversation=conversation, client_message_id=uuid4(), text="Where is my tent?")
    escalation_open(conversation=conversation, reason=reason, summary="Wants a person.", team="billing")
    conversation.refresh_from_db()
    return conversation


def path(conversation: Conversation, deed: str = "") -> str:
    return f"/admin/inbox/{conversation.pk}/{deed}"


def test_taking_over_answering_and_handing_back(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    assert "Take over" in client.get(path(conversation)).content.decode()
    assert client.post(path(conversation, "claim/")).status_code == 302
    conversation.refresh_from_db()
    assert (conversation.status, conversation.assignee) == ("human", cast.agent)

    client.post(path(conversation, "reply/"), {"text": "Hello, I am **here**."})
    reply = Message.objects.get(conversation=conversation, role="staff")
    assert (reply.staff, reply.author) == (cast.agent, "Agent")
    assert "<strong>here</strong>" in client.get(path(conversation)).content.decode()

    client.post(path(conversation, "hand-back/"), {"instruction": "Offer a return."})
    conversation.refresh_from_db()
    assert (conversation.status, conversation.assignee) == ("ai", None)
    assert conversation.metadata["instruction"] == "Offer a return."
    acts = {"conversation.claim", "message.reply", "conversation.hand_back"}
    assert set(AuditEntry.objects.values_list("action", flat=True)) == acts


def test_only_one_takes_over_and_only_that_one_answers(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    client.post(path(conversation, "claim/"))
    client.force_login(cast.lead)
    answer = client.post(path(conversation, "claim/"), follow=True)
    assert "Agent has already taken this conversation." in answer.content.decode()
    answer = client.post(path(conversation, "reply/"), {"text": "Me too"}, follow=True)
    assert "Agent has this conversation." in answer.content.decode()
    assert not Message.objects.filter(conversation=conversation, role="staff").exists()
    conversation.refresh_from_db()
    assert conversation.assignee == cast.agent


def test_nobody_answers_before_taking_over(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    answer = client.post(path(conversation, "reply/"), {"text": "Hi"}, follow=True)
    assert "Take the conversation over before you answer." in answer.content.decode()
    assert not Message.objects.filter(conversation=conversation, role="staff").exists()


@pytest.mark.parametrize("text", ["", "   ", "x" * 5001])
def test_an_empty_or_endless_reply_is_refused_in_words(text: str, client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    client.post(path(conversation, "claim/"))
    answer = client.post(path(conversation, "reply/"), {"text": text}, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]


def test_closing_ends_the_escalation(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    client.post(path(conversation, "claim/"))
    client.post(path(conversation, "close/"))
    conversation.refresh_from_db()
    assert conversation.status == "closed"
    assert conversation.escalations.get().status == "closed"
    assert "Closed" in client.get(path(conversation)).content.decode()


def test_ops_read_but_do_not_answer(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.ops)
    assert "Take over" not in client.get(path(conversation)).content.decode()
    for deed in ("claim/", "reply/", "hand-back/", "close/"):
        assert client.post(path(conversation, deed), {"text": "x"}).status_code == 403


def test_customers_are_sent_away_and_a_deed_wants_post_and_csrf(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.owner_user)
    assert client.get("/admin/inbox/").status_code == 302
    assert client.get(path(conversation)).status_code == 302
    assert client.post(path(conversation, "claim/")).status_code == 302
    conversation.refresh_from_db()
    assert conversation.status == "waiting"
    client.force_login(cast.agent)
    assert client.get(path(conversation, "claim/")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.agent)
    assert strict.post(path(conversation, "claim/")).status_code == 403


@pytest.mark.parametrize(("approve", "state", "refunds"), [("true", "done", 1), ("false", "declined", 0)])
def test_a_refund_over_the_limit_is_decided_here(
    approve: str, state: str, refunds: int, client: Client, cast: Cast
) -> None:
    conversation = waiting(cast.owner)
    action = Action.objects.create(
        conversation=conversation,
        customer=cast.owner,
        idempotency_key="k",
        tool="request_refund",
        arguments={"order_number": cast.delivered.order_number, "amount": "150.00", "reason": "Torn"},
        summary="Refund 150.00 USD",
        state=Action.State.AWAITING_STAFF,
        expires_at=timezone.now() + timedelta(minutes=30),
    )
    client.force_login(cast.agent)
    assert "Refund 150.00 USD" in client.get(path(conversation)).content.decode()
    client.post(path(conversation, f"actions/{action.pk}/"), {"approve": approve, "reason": "Seen the photo"})
    action.refresh_from_db()
    assert (action.state, action.decided_by) == (state, cast.agent)
    assert Refund.objects.count() == refunds
    foreign = waiting(cast.other)
    assert client.post(path(foreign, f"actions/{action.pk}/"), {"approve": "true"}).status_code == 404
