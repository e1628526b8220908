"""The page itself: what it says first, what it keeps across reloads and sign-in, and for whom."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from support_agent.models import Switch
from support_agent.runtime.controls import forget, switch_on
from tests.cast import PASSWORD, Cast
from tickets.models import Conversation, DemoMail
from tickets.services.conversations import conversation_close, conversation_create
from tickets.services.messages import message_assistant, message_system


def begun(client: Client) -> Conversation:
    answer = client.post("/chat/start/")
    assert answer.status_code == 200
    return Conversation.objects.get(pk=answer.json()["id"])


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post("/account/login/", {"email": email, "password": password}).status_code


def test_before_the_first_message_it_says_who_answers(client: Client, cast: Cast) -> None:
    page = client.get("/").content.decode()
    for words in ("An AI assistant answers", "demo model", "Talk to a person", 'href="/privacy/"'):
        assert words in page
    assert client.get("/privacy/").status_code == 200


def test_a_view_begins_no_conversation_and_two_starts_begin_one(client: Client, cast: Cast) -> None:
    client.get("/")
    assert not Conversation.objects.exists()
    assert begun(client) == begun(client)


def test_starting_needs_the_csrf_token(cast: Cast) -> None:
    assert Client(enforce_csrf_checks=True).post("/chat/start/").status_code == 403


def test_the_history_is_in_the_page_before_any_socket(client: Client, cast: Cast) -> None:
    conversation = begun(client)
    source = {"n": 1, "title": "Returns", "url": "/help/returns/"}
    message_assistant(conversation=conversation, text="Thirty days [1].", turn_id=uuid4(), sources=[source])
    page = client.get("/").content.decode()
    assert 'class="cite" href="/help/returns/"' in page
    assert f'data-conversation="{conversation.pk}"' in page
    assert 'id="cursor" data-seq="1"' in page


def test_earlier_messages_come_in_pages(client: Client, cast: Cast) -> None:
    conversation = begun(client)
    for number in range(103):
        message_system(conversation=conversation, text=f"line {number};")
    page = client.get("/").content.decode()
    assert "line 2;" not in page
    assert f"/chat/{conversation.pk}/earlier/?before=4" in page
    before = client.get(f"/chat/{conversation.pk}/earlier/?before=4").content.decode()
    assert "line 0;" in before
    assert "line 3;" not in before
    assert Client().get(f"/chat/{conversation.pk}/earlier/?before=4").status_code == 404


def test_signing_in_keeps_the_conversation_and_changes_the_session(client: Client, cast: Cast) -> None:
    conversation = begun(client)
    before = client.session.session_key
    assert sign_in(client, cast.owner.email.upper()) == 302
    assert client.session.session_key != before
    conversation.refresh_from_db()
    assert (conversation.customer, conversation.identity) == (cast.owner, "session")
    assert str(conversation.pk) in client.get("/").content.decode()


def test_another_customer_on_the_same_browser_sees_nothing_of_it(client: Client, cast: Cast) -> None:
    sign_in(client, cast.owner.email)
    conversation = begun(client)
    client.post("/account/logout/")
    assert str(conversation.pk) not in client.get("/").content.decode()
    sign_in(client, cast.other.email)
    assert str(conversation.pk) not in client.get("/").content.decode()


def test_a_customer_finds_the_open_conversation_on_another_device(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    sign_in(client, cast.owner.email)
    assert str(conversation.pk) in client.get("/").content.decode()


def test_what_a_code_verified_stays_with_its_browser(client: Client, cast: Cast) -> None:
    conversation = begun(client)
    Conversation.objects.filter(pk=conversation.pk).update(customer=cast.owner, identity="code")
    assert str(conversation.pk) in client.get("/").content.decode()


@pytest.mark.parametrize("email", ["olivia.owner@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_address_read_the_same(client: Client, cast: Cast, email: str) -> None:
    answer = client.post("/account/login/", {"email": email, "password": "wrong"})
    assert "do not belong together" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_staff_do_not_sign_in_here(client: Client, cast: Cast) -> None:
    assert sign_in(client, cast.agent.email) == 200


def test_one_click_sign_in_is_of_the_demo_only(client: Client, cast: Cast, settings: Settings) -> None:
    settings.DEMO = False
    assert cast.owner.name not in client.get("/account/login/").content.decode()
    assert client.post("/account/login/", {"as": str(cast.owner.pk)}).status_code == 200
    settings.DEMO = True
    assert client.post("/account/login/", {"as": str(cast.owner.pk)}).status_code == 302


def test_signing_in_goes_on_only_within_the_site(client: Client, cast: Cast) -> None:
    form = {"email": cast.owner.email, "password": PASSWORD}
    for wanted, goes_to in (("/help/", "/help/"), ("//evil.example/", "/"), ("https://evil.example/", "/")):
        assert client.post("/account/login/", {**form, "next": wanted}).headers["Location"] == goes_to


def test_signing_out_needs_a_post(client: Client, cast: Cast) -> None:
    sign_in(client, cast.owner.email)
    assert client.get("/account/logout/").status_code == 405
    assert "_auth_user_id" in client.session


def test_the_demo_mailbox(client: Client, cast: Cast, settings: Settings) -> None:
    DemoMail.objects.create(
        to="olivia.owner@example.com", sender="x@example.com", subject="Your code", body="<b>123456"
    )
    page = client.get("/demo/mail/").content.decode()
    assert "&lt;b&gt;123456" in page
    assert "123456" not in client.get("/demo/mail/?to=oscar").content.decode()
    settings.DEMO = False
    assert client.get("/demo/mail/").status_code == 404


def test_a_new_conversation_leaves_the_closed_one(client: Client, cast: Cast) -> None:
    first = begun(client)
    conversation_close(conversation=first)
    assert client.post("/chat/new/").status_code == 302
    assert begun(client) != first


def test_while_new_conversations_are_paused_it_says_so(client: Client, cast: Cast) -> None:
    switch_on(name=Switch.Name.PAUSE_NEW, staff=cast.lead, reason="Maintenance")
    forget()  # what the commit would do
    try:
        answer = client.post("/chat/start/")
        assert answer.status_code == 503
        assert answer.json()["code"] == "paused"
        assert client.get("/").status_code == 200
    finally:
        forget()
