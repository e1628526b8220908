"""Who may call: a token, or the browser's session with CSRF; never from a foreign origin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.api.conftest import Caller
from tests.cast import Cast
from tickets.models import Customer
from tickets.services.conversations import conversation_create

NOBODYS = "0199a0b0-0000-7000-8000-000000000000"  # the same in every worker of a parallel run
Page = Callable[[Customer], tuple[Caller, str]]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("post", "messages", {"client_message_id": NOBODYS, "text": "Hello"}),
    ("get", "events", {}),
    ("post", f"actions/{NOBODYS}", {"token": "x", "approve": True}),
    ("post", f"actions/{NOBODYS}/undo", {}),
    ("post", "verification", {"email": "a@example.com"}),
    ("get", f"attachments/{NOBODYS}", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_foreign_conversation_looks_like_none(
    caller: Caller, foreign: Caller, method: str, path: str, body: dict[str, Any]
) -> None:
    theirs = getattr(caller, method)(f"/conversations/{foreign.id}/{path}", **body)
    missing = getattr(caller, method)(f"/conversations/{uuid4()}/{path}", **body)
    assert theirs.refusal == missing.refusal == (404, "not_found")
    assert theirs.json == missing.json


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_nobody_at_all(caller: Caller, anyone: Caller, method: str, path: str, body: dict[str, Any]) -> None:
    answer = getattr(anyone, method)(f"/conversations/{caller.id}/{path}", **body)
    assert answer.refusal == (401, "unauthorised")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_unknown_token(caller: Caller) -> None:
    answer = caller.get(f"/conversations/{caller.id}/events", headers={"Authorization": "Bearer no-such-token"})
    assert answer.refusal == (401, "unauthorised")


def test_a_session_needs_csrf_to_change_anything(cast: Cast, page: Page) -> None:
    browser, csrf = page(cast.owner)
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    browser.id = str(conversation.pk)
    assert browser.events() == []
    assert browser.say("Hello").refusal == (403, "csrf")
    body = {"client_message_id": str(uuid4()), "text": "Hello"}
    answer = browser.post(f"/conversations/{browser.id}/messages", headers={"X-CSRFToken": csrf}, **body)
    assert answer.status == 202


def test_a_bad_token_is_not_helped_by_a_cookie(cast: Cast, page: Page) -> None:
    browser, _ = page(cast.owner)
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    browser.token = "no-such-token"
    assert browser.get(f"/conversations/{conversation.pk}/events").refusal == (401, "unauthorised")


def test_another_customers_session(cast: Cast, page: Page) -> None:
    browser, _ = page(cast.other)
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    assert browser.get(f"/conversations/{conversation.pk}/events").refusal == (404, "not_found")


def test_a_signed_in_customers_new_one_is_theirs(cast: Cast, page: Page) -> None:
    browser, csrf = page(cast.owner)
    assert browser.post("/conversations").refusal == (403, "csrf")
    answer = browser.post("/conversations", headers={"X-CSRFToken": csrf})
    browser.id = answer.json["id"]
    assert (browser.conversation.customer, browser.conversation.identity) == (cast.owner, "session")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver:8001", "https://testserver"])
def test_a_foreign_origin_is_refused_everywhere(caller: Caller, origin: str) -> None:
    headers = {"Origin": origin}
    for answer in (
        caller.get(f"/conversations/{caller.id}/events", headers=headers),
        caller.post("/conversations", headers=headers),
        caller.get("/openapi.json", headers=headers),
    ):
        assert answer.refusal == (403, "foreign_origin")
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_our_own_and_listed_origins_may_call(caller: Caller, settings: Any) -> None:
    settings.ALLOWED_ORIGINS = ["https://shop.example"]
    path = f"/conversations/{caller.id}/events"
    assert caller.get(path, headers={"Origin": "http://testserver"}).status == 200
    answer = caller.get(path, headers={"Origin": "https://shop.example"})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "https://shop.example")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    assert Client().options("/api/v1/conversations", headers=asked).status_code == 204


@pytest.mark.parametrize("path", ["/nothing", "/conversations/7/messages", "/turns/not-a-uuid", "/"])
def test_paths_that_do_not_exist(anyone: Caller, path: str) -> None:
    assert anyone.post(path).refusal == (404, "not_found")


def test_the_wrong_method(anyone: Caller) -> None:
    answer = anyone.get("/conversations")
    assert answer.refusal == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


def test_a_bug_says_nothing_of_itself(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("support_agent.chat.api.conversations.submit_message", broken)
    answer = caller.say("Hello")
    assert answer.refusal == (500, "internal")
    assert b"secret" not in answer.content


def test_nothing_is_cached(caller: Caller) -> None:
    assert caller.get(f"/conversations/{caller.id}/events").headers["Cache-Control"] == "no-store"
