"""A program at the API: a client that begins conversations and calls with their tokens."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests.cast import Cast
from tickets.models import Conversation, Customer

Json = dict[str, Any]
BASE = "/api/v1"


class Answer:
    """Status, headers and JSON of one answer."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.content: bytes = response.content
        self.type: str = response.headers.get("Content-Type", "")

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def refusal(self) -> tuple[int, str]:
        """(status, code) of a problem document that is whole."""
        assert self.type == "application/problem+json"
        assert {"type", "title", "status", "detail", "code"} <= set(self.json)
        assert self.json["status"] == self.status
        return self.status, self.json["code"]


class Caller:
    """One client, with the token of the conversation it began last."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client(enforce_csrf_checks=True)
        self.token = ""
        self.id = ""

    def begin(self, **body: Any) -> Answer:
        answer = self.post("/conversations", **body)
        if answer.status == 201:
            self.id, self.token = answer.json["id"], answer.json["token"]
        return answer

    def post(self, path: str, /, headers: Json | None = None, **body: Any) -> Answer:
        return self.raw(path, json.dumps(body), headers)

    def raw(self, path: str, body: str | bytes, headers: Json | None = None) -> Answer:
        sent = {**self._auth(), **(headers or {})}
        return Answer(self.client.post(BASE + path, body, content_type="application/json", headers=sent))

    def get(self, path: str, /, headers: Json | None = None, **query: Any) -> Answer:
        return Answer(self.client.get(BASE + path, query, headers={**self._auth(), **(headers or {})}))

    def upload(self, content: bytes, name: str = "photo.png", kind: str = "image/png", at: str = "") -> Answer:
        data = {"file": SimpleUploadedFile(name, content, kind)}
        path = f"{BASE}/conversations/{at or self.id}/attachments"
        return Answer(self.client.post(path, data, headers=self._auth()))

    def say(self, text: str, *, at: str = "", **body: Any) -> Answer:
        body = {"client_message_id": str(uuid4()), "text": text, **body}
        return self.post(f"/conversations/{at or self.id}/messages", **body)

    def events(self, *, at: str = "", **query: Any) -> list[Json]:
        answer = self.get(f"/conversations/{at or self.id}/events", **query)
        assert answer.status == 200, answer.content
        return list(answer.json["events"])

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get(pk=self.id)

    def _auth(self) -> Json:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@pytest.fixture
def caller(db: None) -> Caller:
    """A program with a conversation of its own, unverified."""
    made = Caller()
    made.begin()
    return made


@pytest.fixture
def foreign(db: None) -> Caller:
    """Another program with another conversation."""
    made = Caller()
    made.begin()
    return made


@pytest.fixture
def anyone(db: None) -> Caller:
    """Nobody yet."""
    return Caller()


@pytest.fixture
def own(caller: Caller, cast: Cast) -> Caller:
    """A program whose conversation belongs to the owner."""
    from tickets.services.conversations import conversation_identify

    conversation_identify(conversation=caller.conversation, customer=cast.owner, identity="code")
    return caller


@pytest.fixture
def page() -> Callable[[Customer], tuple[Caller, str]]:
    """A browser signed in as somebody, and its CSRF token."""

    def signed_in(customer: Customer) -> tuple[Caller, str]:
        client = Client(enforce_csrf_checks=True)
        assert customer.user is not None
        client.force_login(customer.user)
        client.get("/")
        return Caller(client), client.cookies["csrftoken"].value

    return signed_in


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (20, 90, 60)).save(out, format=kind, **options)
    return out.getvalue()
