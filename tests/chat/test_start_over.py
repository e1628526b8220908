"""'Start over', and what was said before: nothing ends unasked that somebody waits for, and all of it can be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.chat.visitors import SESSION_KEY
from support_agent.models import Switch
from support_agent.runtime.controls import forget, switch_on
from tests.cast import Cast
from tickets.access import Visitor
from tickets.models import Conversation, Customer
from tickets.services.actions import action_propose
from tickets.services.conversations import conversation_claim, conversation_close, conversation_create
from tickets.services.messages import message_post, message_system


def talk(client: Client, text: str = "Is the tent waterproof?", customer: Customer | None = None) -> Conversation:
    """A conversation of this browser in which something was said."""
    identity = "code" if customer else ""
    conversation, _ = conversation_create(channel="chat", customer=customer, identity=identity)
    session = client.session
    session[SESSION_KEY] = [*session.get(SESSION_KEY, []), str(conversation.pk)]
    session.save()
    message_post(conversation=conversation, client_message_id=uuid4(), text=text)
    return conversation


def current(client: Client) -> str:
    page = client.get("/").content.decode()
    return page.split('data-conversation="')[1].split('"')[0]


def test_the_old_one_ends_and_a_fresh_one_is_there(client: Client, cast: Cast) -> None:
    old = talk(client)
    assert client.post("/chat/new/")["Location"] == "/"
    old.refresh_from_db()
    assert old.status == "closed"
    assert current(client) not in ("", str(old.pk))
    fresh = current(client)
    assert client.post("/chat/new/")["Location"] == "/"
    assert current(client) == fresh, "nothing was said in it: it is fresh already"
    page = client.get("/").content.decode()
    assert "Earlier conversations" in page
    assert str(old.pk) in client.get("/chat/past/").content.decode()


def test_with_a_person_there_it_asks_first(client: Client, cast: Cast) -> None:
    old = talk(client)
    conversation_claim(conversation_id=old.pk, staff=cast.agent)
    assert client.post("/chat/new/")["Location"] == "/chat/over/"
    old.refresh_from_db()
    assert old.status == "human"
    question = client.get("/chat/over/").content.decode()
    assert "A person from our team is with you" in question
    assert client.post("/chat/new/", {"sure": "yes"})["Location"] == "/"
    old.refresh_from_db()
    assert old.status == "closed"
    assert client.get("/chat/over/")["Location"] == "/", "nothing is at stake any more"


def test_with_a_change_open_it_asks_first_and_says_which(client: Client, cast: Cast) -> None:
    old = talk(client, customer=cast.owner)
    action = action_propose(
        conversation=old, customer=cast.owner, tool="cancel_order", arguments={"order_number": "AP-100002"},
        summary="Cancel order AP-100002 & <b>all</b>", idempotency_key=uuid4().hex, turn_id=None, preview={},
    )  # fmt: skip
    assert client.post("/chat/new/")["Location"] == "/chat/over/"
    assert "Cancel order AP-100002 &amp; &lt;b&gt;all&lt;/b&gt;" in client.get("/chat/over/").content.decode()
    client.post("/chat/new/", {"sure": "yes"})
    action.refresh_from_db()
    assert action.state == "proposed", "it was neither confirmed nor declined"


def test_when_no_other_can_begin_the_old_one_stays(client: Client, cast: Cast) -> None:
    old = talk(client)
    switch_on(name=Switch.Name.PAUSE_NEW, staff=cast.lead, reason="Maintenance")
    forget()
    try:
        assert client.post("/chat/new/").status_code == 503
    finally:
        forget()
    old.refresh_from_db()
    assert old.status == "ai"
    assert current(client) == str(old.pk)


def test_it_needs_a_post_and_the_token(cast: Cast) -> None:
    assert Client().get("/chat/new/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/chat/new/").status_code == 403


def test_the_list_says_how_each_began_and_is_of_this_browser_only(client: Client, cast: Cast) -> None:
    first, second = talk(client, "Which boots for rain?"), talk(client, "<i>Where</i> is AP-1?")
    empty, _ = conversation_create(channel="chat")
    foreign = talk(Client(), "Not yours")
    page = client.get("/chat/past/").content.decode()
    assert page.index(second.reference) < page.index(first.reference), "newest first"
    assert "Which boots for rain?" in page
    assert "&lt;i&gt;Where&lt;/i&gt; is AP-1?" in page
    assert "in the chat now" in page
    for hidden in (foreign.reference, empty.reference, "Not yours"):
        assert hidden not in page
    assert "There are none yet" in Client().get("/chat/past/").content.decode()


def test_a_customer_finds_them_on_every_device_and_nobody_else_does(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="widget", customer=cast.owner, identity="jwt")
    message_post(conversation=conversation, client_message_id=uuid4(), text="From the shop's own page")
    task, _ = conversation_create(channel="task", customer=cast.owner, identity="session")
    message_post(conversation=task, client_message_id=uuid4(), text="A task of staff")
    client.force_login(cast.owner_user)
    page = client.get("/chat/past/").content.decode()
    assert "From the shop&#x27;s own page" in page
    assert "A task of staff" not in page
    assert client.get(f"/chat/{conversation.pk}/").status_code == 200
    other = Client()
    other.force_login(cast.other_user)
    for stranger in (other, Client()):
        assert conversation.reference not in stranger.get("/chat/past/").content.decode()
        for path in ("", "transcript.txt"):
            assert stranger.get(f"/chat/{conversation.pk}/{path}").status_code == 404
        assert stranger.post(f"/chat/{conversation.pk}/resume/").status_code == 404


def test_what_a_code_proved_is_listed_in_its_browser_until_another_signs_in(client: Client, cast: Cast) -> None:
    mine = talk(client, customer=cast.owner)
    assert mine.reference in client.get("/chat/past/").content.decode()
    client.force_login(cast.other_user)
    assert mine.reference not in client.get("/chat/past/").content.decode()


def test_one_is_read_only_and_has_its_dates(client: Client, cast: Cast) -> None:
    old = talk(client, customer=cast.owner)
    action_propose(
        conversation=old, customer=cast.owner, tool="cancel_order", arguments={"order_number": "AP-100002"},
        summary="Cancel order AP-100002", idempotency_key=uuid4().hex, turn_id=None, preview={},
    )  # fmt: skip
    conversation_close(conversation=old)
    page = client.get(f"/chat/{old.pk}/").content.decode()
    assert "Is the tent waterproof?" in page
    assert "Cancel order AP-100002" in page
    assert 'name="token"' not in page, "nothing can be confirmed from here"
    assert f"closed {timezone.now():%-d %b %Y}" in page
    assert f'href="/chat/{old.pk}/transcript.txt"' in page


def test_long_ones_are_read_in_pages(client: Client, cast: Cast) -> None:
    old = talk(client)
    for number in range(203):
        message_system(conversation=old, text=f"line {number};")
    page = client.get(f"/chat/{old.pk}/").content.decode()
    assert "?before=5" in page
    assert "line 2;" not in page
    before = client.get(f"/chat/{old.pk}/?before=5").content.decode()
    assert "line 2;" in before
    assert "line 3;" not in before
    for odd in ("x", "-1", "9" * 30):
        assert client.get(f"/chat/{old.pk}/?before={odd}").status_code == 404


@pytest.mark.parametrize(("days", "goes_back"), [(13, True), (15, False)])
def test_going_back_into_it_within_14_days(client: Client, cast: Cast, days: int, goes_back: bool) -> None:
    from support_agent.runtime.submit import submit_message

    old = talk(client)
    client.post("/chat/new/")
    Conversation.objects.filter(pk=old.pk).update(closed_at=timezone.now() - timedelta(days=days))
    page = client.get(f"/chat/{old.pk}/").content.decode()
    assert ("Go on with this conversation" in page) is goes_back
    assert ("more than 14 days ago" in page) is not goes_back
    client.post(f"/chat/{old.pk}/resume/")
    assert (current(client) == str(old.pk)) is goes_back
    if goes_back:
        assert Conversation.objects.get(pk=old.pk).status == "closed", "only words reopen it"
        submit_message(conversation=old, visitor=Visitor(), client_message_id=uuid4(), text="One more thing")
        assert Conversation.objects.get(pk=old.pk).status == "ai"


def test_openers_are_about_the_customers_own_orders(client: Client, cast: Cast) -> None:
    stranger: Any = Client().get("/").content.decode()
    client.force_login(cast.owner_user)
    page = client.get("/").content.decode()
    assert page.count("data-opener") == stranger.count("data-opener") == 4
    assert "Where is my order AP-100002?" in page
    assert "order AP-100001?" in page
    assert "AP-1" not in stranger


def test_a_question_from_another_page_stands_in_the_field_and_is_not_sent(client: Client, cast: Cast) -> None:
    page = client.get("/", {"ask": "About “<b>Tents</b>”\x00: " + "x" * 900}).content.decode()
    field = page.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]
    assert field.startswith("About “&lt;b&gt;Tents&lt;/b&gt;”: xxx")
    assert len(field) < 600
    assert not Conversation.objects.exists()
