"""The conversation as a text file: for its own people, by session or token, whole."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from support_agent.env import env
from support_agent.runtime import ratelimit
from tests.cast import Cast
from tests.chat.test_transcript import talk
from tickets.events import event_append
from tickets.models import Message
from tickets.services import transcripts
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post


def test_it_says_who_said_what_in_order(client: Client, cast: Cast) -> None:
    conversation = talk(client, cast, cast.owner)
    message_post(conversation=conversation, client_message_id=uuid4(), text="Grüße 👋 =SUM(1) مرحبا")
    answer = client.get(f"/chat/{conversation.pk}/transcript.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="conversation-{conversation.reference}.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    said = answer.content.decode()
    order = [
        conversation.reference,
        "You (",
        "Is the tent waterproof?",
        "Assistant (",
        "[1] Care",
        "I am here too.",
        "=SUM(1)",
    ]
    assert [said.index(part) for part in order] == sorted(said.index(part) for part in order)
    assert "Grüße 👋 =SUM(1) مرحبا" in said
    page = client.get("/").content.decode()
    assert f'href="/chat/{conversation.pk}/transcript.txt"' in page, "beside the one by e-mail"


def test_a_program_gets_it_with_its_token_and_nobody_else_does(cast: Cast) -> None:
    conversation, token = conversation_create(channel="widget", with_token=True)
    message_post(conversation=conversation, client_message_id=uuid4(), text="Mine")
    path = f"/chat/{conversation.pk}/transcript.txt"
    answer = Client().get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert "Mine" in answer.content.decode()
    _, other = conversation_create(channel="widget", with_token=True)
    for header in ({}, {"Authorization": f"Bearer {other}"}, {"Authorization": "Bearer x"}):
        assert Client().get(path, headers=header).status_code == 404
    assert Client().get(f"/chat/{uuid4()}/transcript.txt").status_code == 404
    assert Client().post(path).status_code == 405


def test_a_long_one_is_whole_where_the_mail_says_what_it_leaves_out(client: Client, cast: Cast) -> None:
    conversation = talk(client, cast)
    with transaction.atomic():
        for number in range(1_200):
            message = Message(conversation=conversation, role="customer", text=f"line {number};")
            event_append(conversation=conversation, type="message", message=message)
    said = client.get(f"/chat/{conversation.pk}/transcript.txt").content.decode()
    assert "Is the tent waterproof?" in said
    assert said.count("line ") == 1_200
    mailed = transcripts.transcript_text(conversation.pk, conversation.last_seq)
    assert "Is the tent waterproof?" not in mailed
    assert mailed.startswith("[Only the newest 1,000 messages are here")


def test_it_is_rate_limited(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "env", env.model_copy(update={"rate_limit_scale": 1.0}))
    conversation = talk(client, cast)
    for _ in range(10):
        assert client.get(f"/chat/{conversation.pk}/transcript.txt").status_code == 200
    answer = client.get(f"/chat/{conversation.pk}/transcript.txt")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
