"""The conversation by e-mail: plain text, to the customer's own address or to the one left in the chat."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from support_agent.chat.visitors import SESSION_KEY
from support_agent.env import env
from support_agent.runtime import ratelimit
from tests.cast import Cast
from tickets.models import Conversation, Customer
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.messages import message_assistant, message_post
from tickets.services.replies import reply_post


def talk(client: Client, cast: Cast, customer: Customer | None = None) -> Conversation:
    """A conversation of this browser with words by all three."""
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="code" if customer else "")
    session = client.session
    session[SESSION_KEY] = [str(conversation.pk)]
    session.save()
    message_post(conversation=conversation, client_message_id=uuid4(), text="Is the tent waterproof?")
    sources = [{"n": 1, "title": "Care", "url": "/help/care/"}]
    message_assistant(conversation=conversation, text="It is **waterproof** [1].", turn_id=uuid4(), sources=sources)
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="I am here too.")
    return conversation


@pytest.fixture
def send(
    client: Client, monkeypatch: pytest.MonkeyPatch, jobs_at_once: None, django_capture_on_commit_callbacks: Any
) -> Any:
    def post(**fields: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post("/chat/transcript/", fields)

    return post


def test_a_known_customer_gets_it_at_their_own_address_only(client: Client, cast: Cast, send: Any) -> None:
    talk(client, cast, cast.owner)
    assert b'name="email"' not in client.get("/chat/transcript/").content
    answer = send(email="thief@example.com")
    assert answer.status_code == 200
    assert cast.owner.email not in answer.content.decode()
    (sent,) = mail.outbox
    assert sent.to == [cast.owner.email]
    said = str(sent.body)
    order = ["You (", "Is the tent waterproof?", "Assistant (", "[1] Care", "Agent, Alder & Pine (", "I am here too."]
    assert [said.index(part) for part in order] == sorted(said.index(part) for part in order)
    assert sent.content_subtype == "plain"
    assert "It is waterproof" in said, "without marks"


def test_a_stranger_says_where(client: Client, cast: Cast, send: Any) -> None:
    conversation = talk(client, cast)
    assert send(email="nobody").status_code == 422
    assert mail.outbox == []
    assert send(email="me@example.com").status_code == 200
    assert mail.outbox[0].to == ["me@example.com"]
    conversation.refresh_from_db()
    assert conversation.contact_email == "me@example.com"
    assert b'value="me@example.com"' in client.get("/chat/transcript/").content


def test_nobody_without_a_conversation_gets_anything(cast: Cast) -> None:
    assert Client().post("/chat/transcript/", {"email": "me@example.com"})["Location"] == "/"
    assert Client(enforce_csrf_checks=True).post("/chat/transcript/").status_code == 403


def test_it_is_rate_limited(client: Client, cast: Cast, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "env", env.model_copy(update={"rate_limit_scale": 1.0}))
    address = f"{uuid4().hex}@example.com"
    for _ in range(3):
        talk(client, cast)
        assert send(email=address).status_code == 200
    talk(client, cast)
    answer = send(email=address.upper().replace("EXAMPLE.COM", "example.com"))
    assert answer.status_code == 429
    assert b"Please try again in" in answer.content
    assert len(mail.outbox) == 3
