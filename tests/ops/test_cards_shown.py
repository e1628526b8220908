"""Staff see what a customer was shown under an answer, and why a thumb went down, in the inbox and in the trace."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from tests.cast import Cast
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_assistant
from tickets.services.surveys import feedback_give

pytestmark = pytest.mark.django_db


def test_cards_and_causes(cast: Cast, client: Client) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    cards = [
        {"kind": "order", "id": "AP-100001", "status": "partly_returned"},
        {"kind": "article", "id": "/help/x/", "title": "<b>Tents</b>", "url": "/help/x/"},
    ]
    answer = message_assistant(conversation=conversation, text="Here.", turn_id=uuid4(), cards=cards)
    feedback_give(
        conversation=conversation, message_id=answer.pk, helpful=False, cause="unclear", reason="Which of them?"
    )
    client.force_login(cast.admin)
    for path in (f"/admin/inbox/{conversation.pk}/", f"/admin/traces/{conversation.pk}/"):
        page = client.get(path).content.decode()
        assert "order AP-100001, partly returned" in page
        assert "article &lt;b&gt;Tents&lt;/b&gt;" in page
    assert "did not find this helpful: hard to understand. Which of them?" in page
