"""What staff download and what alerts send holds no personal data; the privacy page says what is so."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from support_agent.models import Alert
from support_agent.ops.exports import csv_file, json_file
from support_agent.runtime.alert_messages import message_of
from tests.cast import Cast
from tickets.ids import new_id
from tickets.models import Conversation, Retention
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post

pytestmark = pytest.mark.django_db
SAID = "Call +49 30 901820 or write to ann.lee@example.com about AP-100001, IBAN DE89 3704 0044 0532 0130 00."
KEPT = "Call [phone] or write to [email] about AP-100001, IBAN [iban]."


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    found, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    message_post(conversation=found, client_message_id=uuid4(), text=SAID)
    return found


def export(*arguments: str) -> Any:
    out = StringIO()
    call_command("export_conversation", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_an_exported_conversation(talk: Conversation, cast: Cast) -> None:
    shared = export(talk.reference)
    assert shared["events"][0]["message"]["text"] == KEPT
    assert cast.owner.name not in shared["conversation"]["customer"].values()
    assert cast.owner.email not in json.dumps(shared)
    assert shared["conversation"]["reference"] == talk.reference
    whole = export(talk.reference, "--personal")
    assert whole["events"][0]["message"]["text"] == SAID
    assert whole["conversation"]["customer"]["email"] == cast.owner.email


def test_the_page_s_own_download(talk: Conversation, cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ops)
    downloaded = client.get(f"/admin/traces/{talk.pk}/export.json")
    assert downloaded.status_code == 200
    assert KEPT in downloaded.content.decode()
    assert cast.owner.email not in downloaded.content.decode()


def test_lists_for_spreadsheets_and_programs() -> None:
    for made in (csv_file("a.csv", ["said"], [[SAID, 3]]), json_file("a.json", [{"said": SAID, "n": 3}])):
        text = b"".join(made).decode()
        assert KEPT in text
        assert "3" in text


def test_alerts() -> None:
    alert = Alert(kind="budget", key="k", text=SAID, details={"seen": SAID}, created_at=timezone.now())
    message = message_of(new_id(), [("raised", alert)], timezone.now())
    sent = f"{message.subject} {message.body} {json.dumps(message.payload)}"
    for word in ("ann.lee@", "901820", "0532"):
        assert word not in sent, word


def test_the_privacy_page_names_the_days_there_are(client: Client) -> None:
    assert "730 days" in client.get("/privacy/").content.decode()
    Retention.objects.create(kind="conversations", days=30)
    assert "30 days after they are closed" in client.get("/privacy/").content.decode()
