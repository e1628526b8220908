"""`export_customer`: all of one's own, and nothing of others or of the house."""

from __future__ import annotations

import json
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from support_agent.models import Step
from tests.cast import Cast
from tests.privacy.planting import EMAIL, WORD, plant
from tickets.models import Message, Note
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_system

pytestmark = pytest.mark.django_db


def export(*arguments: str) -> Any:
    out = StringIO()
    call_command("export_customer", *arguments, stdout=out)
    return json.loads(out.getvalue()) if out.getvalue().startswith("{") else out.getvalue()


def test_everything_that_is_theirs(cast: Cast) -> None:
    planted = plant(cast)
    Message.objects.filter(conversation=planted, role="customer").update(text="Where is my tent?")
    foreign, _ = conversation_create(channel="chat", customer=cast.other, identity="session")
    message_system(conversation=foreign, text="Somebody else's")
    Note.objects.update(text="between us")
    Step.objects.update(input={"system": "our prompt"})
    held = export(EMAIL.upper(), "--json")
    assert held["customer"]["email"] == EMAIL
    assert [one["order_number"] for one in held["orders"]] == ["AP-100002", "AP-100001"]
    assert held["orders"][1]["lines"][0]["unit_price"] == "25.00"
    (conversation,) = held["conversations"]
    assert conversation["messages"][0]["text"] == "Where is my tent?"
    for part in ("actions", "promises", "escalations", "codes", "survey", "feedback", "remembered", "files"):
        assert conversation[part], part
    assert all(held[part] for part in ("tickets", "mails", "changes"))
    said = json.dumps(held)
    for secret in (
        "Somebody else's",
        "between us",
        "our prompt",
        cast.other.email,
        "password",
        "token",
        "hash",
        "lead",
    ):
        assert secret not in said, secret


def test_a_file_with_the_images(cast: Cast, tmp_path: Path) -> None:
    plant(cast)
    path = tmp_path / "held.zip"
    assert "written" in export(EMAIL, "--output", str(path))
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert json.loads(archive.read("data.json"))["email"] == EMAIL
        assert archive.read(next(name for name in names if name.startswith("files/"))) == WORD.encode()
    assert path.stat().st_mode & 0o077 == 0


def test_a_stranger_with_an_address(db: None) -> None:
    conversation, _ = conversation_create(channel="chat")
    type(conversation).objects.update(contact_email="Some.One@example.com")
    held = export("some.one@example.com")
    assert held["customer"] is None
    assert [one["reference"] for one in held["conversations"]] == [conversation.reference]
    with pytest.raises(CommandError, match="nothing is held") as error:
        export("nobody@example.com")
    assert error.value.returncode == 2
