"""The chat over HTTP: the socket's own fragments by POST and GET, for a cookie with CSRF or a bearer token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.models import Turn
from support_agent.runtime import ratelimit
from support_agent.runtime.submit import request_human
from tests.cast import PASSWORD, Cast
from tests.chat.conftest import Line, begin, said
from tickets.db import in_db
from tickets.models import Conversation, Message, Verification
from tickets.selectors.conversations import PAGE
from tickets.services.actions import action_propose
from tickets.services.codes import code_of
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_system

Lines = Callable[..., Line]


class Wire:
    """A conversation over HTTP, as one browser or one program has it."""

    def __init__(self, conversation_id: UUID, client: Client | None = None, token: str = "", **headers: str) -> None:
        self.client = client or Client()
        self._path = f"/chat/{conversation_id}"
        self._headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}

    def send(self, **frame: Any) -> Any:
        body = json.dumps(frame, default=str)
        return self.client.post(f"{self._path}/frames/", body, "application/json", headers=self._headers)

    def look(self, after: int = 0, **query: object) -> Any:
        return self.client.get(f"{self._path}/events/", {"after": after, **query}, headers=self._headers)


@pytest.fixture
def wire(client: Client, cast: Cast) -> Wire:
    """That of a browser which has just begun a conversation."""
    return Wire(UUID(client.post("/chat/start/").json()["id"]), client)


def targets(answer: Any) -> list[str]:
    return re.findall(r'hx-target="([^"]+)"', answer.content.decode())


def seqs(answer: Any) -> list[int]:
    return [int(found) for found in re.findall(r'id="cursor" data-seq="(\d+)"', answer.content.decode())]


def propose(cast: Cast, conversation: Conversation) -> Any:
    return action_propose(
        conversation=conversation,
        customer=cast.owner,
        turn_id=uuid4(),
        tool="cancel_order",
        arguments={"order_number": "AP-100002", "reason": "ordered twice"},
        summary="Cancel order AP-100002",
        preview={},
        idempotency_key=str(uuid4()),
    )


async def test_it_says_what_the_socket_says(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    line = lines(conversation.pk, token=token, origin=None, format="html")
    await line.open()
    ready = await line.text()
    wire = Wire(conversation.pk, token=token)
    words = said("<b>Hello</b>")
    answer = await in_db(lambda: wire.send(**words))
    event = await line.text()
    await line.send(**words)  # the same once more, to hear what a socket is told
    assert answer.content.decode() == await line.text()
    await in_db(propose, people, conversation)
    card = await line.text()
    assert 'name="token"' in card
    shown = (await in_db(lambda: wire.look(0, state="thinking"))).content.decode()
    assert shown == f"{event}\n{card}"
    assert (await in_db(lambda: wire.look(0))).content.decode().startswith(f"{ready}\n{event}")
    await line.send(type="confirm", action_id=uuid4(), token="x", approve="true")
    refusal = await line.text()
    answer = await in_db(lambda: wire.send(type="confirm", action_id=uuid4(), token="x", approve="true"))
    ids = r"error-[0-9a-f-]+"
    assert answer.status_code == 200
    assert re.sub(ids, "", answer.content.decode()) == re.sub(ids, "", refusal)


def test_a_message_posted_twice_is_one(wire: Wire) -> None:
    words = said("Where is my tent?")
    first, second = wire.send(**words), wire.send(**words)
    assert first.content == second.content
    assert Message.objects.count() == 1
    assert seqs(wire.look(0)) == [1]
    other = wire.send(**{**words, "text": "Where is my lantern?"})
    assert 'data-failed="conflict"' in other.content.decode()
    assert other.status_code == 200


def test_a_form_does_as_well_as_json(wire: Wire, client: Client) -> None:
    conversation = Conversation.objects.get()
    form = {"type": "message", "client_message_id": uuid4(), "text": "Hello"}
    assert client.post(f"/chat/{conversation.pk}/frames/", form).status_code == 200
    assert Message.objects.get().text == "Hello"


def test_events_come_in_pages_and_none_twice(wire: Wire) -> None:
    conversation = Conversation.objects.get()
    for number in range(PAGE + 3):
        message_system(conversation=conversation, text=f"line {number};")
    page = wire.look(0)
    assert seqs(page) == [*range(1, PAGE + 1)]
    assert page["X-Again"] == "0"
    assert page["X-Last-Seq"] == str(PAGE + 3)
    rest = wire.look(PAGE, state="")
    assert seqs(rest) == [PAGE + 1, PAGE + 2, PAGE + 3]
    assert wire.look(PAGE + 3, state="").status_code == 204
    assert wire.look(10**9, state="").status_code == 204


def test_what_goes_on_is_told_once(wire: Wire) -> None:
    wire.send(**said())
    answer = wire.look(1, state="")
    assert "#activity" in targets(answer)
    assert (answer["X-State"], answer["X-Again"]) == ("thinking", "1")
    assert wire.look(1, state="thinking").status_code == 204
    Turn.objects.update(state=Turn.State.ANSWERED)
    over = wire.look(1, state="thinking")
    assert targets(over) == ["#activity"]
    assert "working" not in over.content.decode()
    assert over["X-Again"] != "1"


def test_who_waits_is_told_the_place_when_they_ask(wire: Wire) -> None:
    request_human(conversation=Conversation.objects.get())
    seq = Conversation.objects.get().last_seq
    assert "You are number 1." in wire.look(seq, state="", place=1).content.decode()
    assert wire.look(seq, state="").status_code == 204


def test_a_look_says_that_the_customer_is_there(wire: Wire) -> None:
    wire.look()
    seen_at = Conversation.objects.get().customer_seen_at
    assert seen_at is not None
    wire.look()
    assert Conversation.objects.get().customer_seen_at == seen_at, "not written at every look"
    Conversation.objects.update(customer_seen_at=timezone.now() - timedelta(seconds=20))
    wire.look()
    assert Conversation.objects.get().customer_seen_at > seen_at


def test_an_idle_look_is_cheap(wire: Wire, django_assert_num_queries: Any) -> None:
    wire.look()
    with django_assert_num_queries(3):  # the session, the conversation, whether a turn is on its way
        assert wire.look(0, state="").status_code == 204


def test_what_is_read_is_noted(wire: Wire) -> None:
    wire.send(**said())
    assert wire.send(type="read", seq=1).status_code == 204
    assert Conversation.objects.get().customer_read_seq == 1


def test_foreign_is_as_missing_and_nobody_is_nobody(wire: Wire, cast: Cast) -> None:
    foreign, token = conversation_create(channel="chat", customer=cast.other, with_token=True)
    for conversation_id in (foreign.pk, uuid4()):
        mine = Wire(conversation_id, wire.client)
        assert (mine.look().status_code, mine.send(**said()).status_code) == (404, 404)
        assert mine.send(type="nonsense").status_code == 404
        nobody = Wire(conversation_id)
        assert (nobody.look().status_code, nobody.send(**said()).status_code) == (401, 401)
    wrong = Wire(Conversation.objects.exclude(pk=foreign.pk).get().pk, wire.client, token)
    assert wrong.look().status_code == 404, "beside a token the cookie counts for nothing"
    assert Wire(foreign.pk, token=token).send(**said()).status_code == 200


def test_a_cookie_needs_the_csrf_token_and_a_bearer_none(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.get("/")
    proof = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    begun = UUID(browser.post("/chat/start/", headers=proof).json()["id"])
    assert Wire(begun, browser).send(**said()).status_code == 403
    assert Wire(begun, browser, **proof).send(**said()).status_code == 200
    conversation, token = conversation_create(channel="chat", with_token=True)
    strict = Client(enforce_csrf_checks=True)
    assert Wire(conversation.pk, strict, token).send(**said()).status_code == 200
    evil = {"Origin": "https://evil.example"}
    assert Wire(conversation.pk, strict, token, **evil).send(**said()).status_code == 403
    assert Wire(conversation.pk, strict, token, **evil).look().status_code == 403
    assert Message.objects.count() == 2


def test_too_often_is_said_with_the_time_to_wait(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = ratelimit.scaled
    monkeypatch.setattr(ratelimit, "scaled", lambda most: 1 if most in (20, 300) else scaled(most))
    words = said()
    assert wire.send(**words).status_code == 200
    refused = wire.send(**said("Again"))
    assert refused.status_code == 429
    assert "data-retry-after" in refused.content.decode() or targets(refused) == ["#alert"]
    assert int(refused["Retry-After"]) > 0
    assert wire.look().status_code == 200
    late = wire.look()
    assert late.status_code == 429
    assert int(late["Retry-After"]) > 0


def test_a_code_over_http_changes_the_sessions_key(wire: Wire, cast: Cast) -> None:
    before = wire.client.session.session_key
    assert wire.send(type="verify", email=cast.owner.email).status_code == 204
    code = code_of(Verification.objects.get())
    wrong = wire.send(type="verify", code="000000" if code != "000000" else "111111")
    assert targets(wrong) == ["#error-verification"]
    assert wire.client.session.session_key == before
    assert wire.send(type="verify", code=code).status_code == 204
    assert wire.client.session.session_key != before
    assert 'data-state="verified"' in wire.look().content.decode()


def test_signing_out_ends_it(client: Client, cast: Cast) -> None:
    client.post("/account/login/", {"email": cast.owner.email, "password": PASSWORD})
    wire = Wire(UUID(client.post("/chat/start/").json()["id"]), client)
    assert wire.look().status_code == 200
    client.post("/account/logout/")
    assert wire.look().status_code == 401


def test_too_much_at_once_is_not_read(wire: Wire) -> None:
    assert wire.send(**said("x" * 70_000)).status_code == 413
    assert 'data-failed="too_long"' in wire.send(**said("x" * 6_000)).content.decode()
    assert not Message.objects.exists()


def test_what_was_closed_long_ago_goes_on_in_a_new_one(wire: Wire) -> None:
    Conversation.objects.update(status="closed", closed_at=timezone.now() - timedelta(days=20))
    answer = wire.send(**said())
    continued = Conversation.objects.get(continued_from__isnull=False)
    assert f'data-moved="{continued.pk}"' in answer.content.decode()
    assert Wire(continued.pk, wire.client).look().status_code == 200
