"""A form of staff that arrives twice is done once: a double click, a retry after a lost answer."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from tests.cast import Cast
from tickets.models import AuditEntry, Conversation, Message, Note, Ticket
from tickets.services.conversations import conversation_claim, conversation_create

pytestmark = pytest.mark.django_db
TICKET = {"subject": "Zip", "body": "Send a new one", "category": "product", "priority": "high"}


@pytest.fixture
def page(client: Client, cast: Cast) -> str:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    client.force_login(cast.agent)
    return f"/admin/inbox/{conversation.pk}/"


@pytest.mark.parametrize(
    ("deed", "form", "another", "model", "action"),
    [
        ("reply/", {"text": "On its way."}, {"text": "It is late."}, Message, "message.reply"),
        ("note/", {"text": "VIP"}, {"text": "Not VIP"}, Note, "note.add"),
        ("ticket/", TICKET, {**TICKET, "subject": "Tent"}, Ticket, "ticket.open"),
    ],
)
def test_once(
    client: Client, page: str, deed: str, form: dict[str, str], another: dict[str, str], model: type, action: str
) -> None:
    made = model.objects.count()  # type: ignore[attr-defined]
    sent = {**form, "form_id": str(uuid4())}
    answers = [client.post(f"{page}{deed}", sent, headers={"X-Fragment": "1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert model.objects.count() == made + 1  # type: ignore[attr-defined]
    assert AuditEntry.objects.filter(action=action).count() == 1
    refused = client.post(f"{page}{deed}", {**another, "form_id": sent["form_id"]}, headers={"X-Fragment": "1"})
    assert refused.status_code == 409
    assert "already" in refused.content.decode()
    assert client.post(f"{page}{deed}", another, headers={"X-Fragment": "1"}).status_code == 200
    assert model.objects.count() == made + 2  # type: ignore[attr-defined]


def test_every_page_has_an_id_of_its_own(client: Client, page: str) -> None:
    shown = [client.get(page) for _ in range(2)]
    ids = [str(answer.context["form_id"]) for answer in shown]
    assert ids[0] != ids[1]
    assert shown[0].content.decode().count(f'name="form_id" value="{ids[0]}"') == 3
    assert Conversation.objects.count() == 1
