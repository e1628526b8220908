"""The chat by forms alone: every form of the page posts to one address and leads back to it, or says what was wrong."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.models import Switch, Turn
from support_agent.runtime.controls import forget, switch_on
from support_agent.runtime.submit import request_human
from tests.cast import PASSWORD, Cast
from tickets.models import Action, Conversation, Feedback, Message, Survey, Verification
from tickets.services.actions import action_propose
from tickets.services.codes import code_of
from tickets.services.conversations import conversation_claim, conversation_close, conversation_create
from tickets.services.identity import verification_start
from tickets.services.messages import message_assistant, message_staff, message_system

TAGS = re.compile(r"<(?:input|button|textarea)[^>]*>")
NAMED = re.compile(r'(name|value|type)="([^"]*)"')


class Page:
    """The page as a browser without scripts has it: its forms are filled in and sent."""

    def __init__(self, client: Client, html: str = "") -> None:
        self.client = client
        self.html = html or client.get("/").content.decode()

    def form(self, mark: str) -> str:
        """The form in which this stands."""
        return next(form for form in re.findall(r"<form.*?</form>", self.html, re.S) if mark in form)

    def fields(self, mark: str) -> dict[str, str]:
        """What its hidden fields say."""
        tags = [dict(NAMED.findall(tag)) for tag in TAGS.findall(self.form(mark))]
        return {tag["name"]: tag["value"] for tag in tags if tag.get("type") == "hidden"}

    def send(self, mark: str, **typed: str) -> Any:
        assert 'method="post" action="/chat/do/"' in self.form(mark)
        return self.client.post("/chat/do/", {**self.fields(mark), **typed})

    def say(self, text: str) -> Any:
        return self.send('id="composer"', text=text)


@pytest.fixture
def page(cast: Cast) -> Page:
    """That of a browser which does want its CSRF tokens."""
    return Page(Client(enforce_csrf_checks=True))


def again(page: Page) -> Page:
    return Page(page.client)


def begun(page: Page) -> Conversation:
    assert page.say("Hello").status_code == 303
    return Conversation.objects.get()


def owned(page: Page, cast: Cast) -> Conversation:
    conversation = begun(page)
    Conversation.objects.update(customer=cast.owner, identity="code")
    conversation.refresh_from_db()
    return conversation


def propose(cast: Cast, conversation: Conversation) -> Action:
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


def test_the_first_message_begins_the_conversation(page: Page) -> None:
    assert not Conversation.objects.exists()
    answer = page.say("Where is <b>my</b> tent?")
    message = Message.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/#m-{message.pk}")
    assert "Where is &lt;b&gt;my&lt;/b&gt; tent?" in again(page).html
    assert Turn.objects.get().state == "queued"


def test_an_opener_is_a_message(page: Page) -> None:
    assert page.send("data-opener", text="What does shipping cost?").status_code == 303
    assert Message.objects.get().text == "What does shipping cost?"


def test_a_form_sent_twice_is_one_message_and_other_words_are_asked_about(page: Page) -> None:
    conversation = begun(page)
    both = again(page)
    assert [both.say("My order is late").status_code for _ in range(2)] == [303, 303]
    assert Message.objects.filter(text="My order is late").count() == 1
    refused = both.say("My order is early")
    assert refused.status_code == 409
    offered = Page(page.client, refused.content.decode())
    assert ">My order is early</textarea>" in offered.html
    assert offered.say("My order is early").status_code == 303
    assert Message.objects.filter(conversation=conversation).count() == 3


@pytest.mark.parametrize(("text", "status"), [("   ", 422), ("x" * 5001, 422)])
def test_a_refused_message_begins_nothing_and_is_kept(page: Page, text: str, status: int) -> None:
    refused = page.say(text)
    assert refused.status_code == status
    assert f">{text}</textarea>" in refused.content.decode()
    assert 'id="alert" class="error" role="alert">' in refused.content.decode()
    assert not Conversation.objects.exists()


def test_while_an_answer_is_on_its_way_the_page_looks_again_by_itself(page: Page) -> None:
    refresh = '<meta http-equiv="refresh" content="4; url=/">'
    assert refresh not in page.html
    conversation = begun(page)
    assert refresh in again(page).html
    assert 'value="stop"' in again(page).html
    Turn.objects.update(state=Turn.State.ANSWERED)
    message_assistant(conversation=conversation, text="It is on its way.", turn_id=uuid4())
    done = again(page).html
    assert refresh not in done
    assert "It is on its way." in done
    page.say(" ")
    Turn.objects.update(state=Turn.State.RUNNING)
    assert refresh not in page.say(" ").content.decode(), "what is typed would be lost"


def test_a_card_is_confirmed_and_undone(page: Page, cast: Cast) -> None:
    action = propose(cast, owned(page, cast))
    shown = again(page)
    form = {**shown.fields("Confirm"), "approve": "true"}
    done = shown.client.post("/chat/do/", form)
    assert (done.status_code, done.get("Location")) == (303, f"/#action-{action.pk}"), done.content.decode()
    assert Action.objects.get().state == "done"
    wrong = shown.client.post("/chat/do/", {**form, "token": "0" * 64})
    assert wrong.status_code in (409, 410, 422)
    assert re.search(rf'id="error-{action.pk}" role="alert">\w', wrong.content.decode())
    assert again(page).send("Undo").status_code == 303
    assert Action.objects.get().state == "undone"


def test_a_code_is_asked_for_and_typed_in(page: Page, cast: Cast) -> None:
    conversation = begun(page)
    verification_start(conversation=conversation, email=cast.owner.email)
    verification = Verification.objects.get()
    key = page.client.session.session_key
    code = code_of(verification)
    wrong = again(page).send('id="code"', code="000000" if code != "000000" else "111111")
    assert wrong.status_code == 409
    assert "You have 2 more tries." in wrong.content.decode()
    assert page.client.session.session_key == key
    right = again(page).send('id="code"', code=code)
    assert (right.status_code, right["Location"]) == (303, "/#verification")
    assert page.client.session.session_key != key, "whoever planted the old one is out"
    assert "we know it is you" in again(page).html


def test_another_code_is_asked_for_with_an_address(page: Page, cast: Cast) -> None:
    conversation = begun(page)
    verification_start(conversation=conversation, email=cast.owner.email)
    for _ in range(3):
        again(page).send('id="code"', code="999999")
    refused = again(page).send('id="verify-email"', email="not an address")
    assert refused.status_code == 422
    assert 'value="not an address"' in refused.content.decode()
    assert again(page).send('id="verify-email"', email=cast.owner.email).status_code == 303
    assert Verification.objects.filter(state="requested").count() == 1


def test_a_person_is_asked_for_and_an_address_left(page: Page, cast: Cast) -> None:
    assert page.send('value="human"').status_code == 303
    conversation = Conversation.objects.get()
    assert conversation.status == "waiting"
    shown = again(page)
    assert "You are number 1." in shown.html
    assert 'id="human" hidden' in shown.html
    refused = shown.send('id="contact"', email="nowhere")
    assert refused.status_code == 422
    assert 'value="nowhere"' in refused.content.decode()
    assert shown.send('id="contact"', email="me@example.com").status_code == 303
    conversation.refresh_from_db()
    assert conversation.contact_email == "me@example.com"


def test_an_answer_is_found_good_or_not_and_why(page: Page) -> None:
    conversation = begun(page)
    answer = message_assistant(conversation=conversation, text="Thirty days.", turn_id=uuid4())
    bad = page.client.post("/chat/do/", {**again(page).fields("This helped"), "helpful": "false"})
    assert bad["Location"] == f"/?why={answer.pk}#feedback-{answer.pk}"
    asked = Page(page.client, page.client.get(bad["Location"]).content.decode())
    thanked = asked.send("What was missing?", reason="How to send it back")
    assert (Feedback.objects.get().helpful, Feedback.objects.get().reason) == (False, "How to send it back")
    assert "Thank you" in page.client.get(thanked["Location"]).content.decode()


def test_it_ends_with_the_survey_and_begins_anew(page: Page) -> None:
    begun(page)
    assert again(page).send('id="end"')["Location"] == "/#survey"
    ended = again(page)
    assert "How did we do?" in ended.html
    assert re.search(r'id="end" hidden', ended.html)
    refused = ended.send('value="survey"', rating="9", comment="Quick & kind")
    assert refused.status_code == 422
    assert ">Quick &amp; kind</textarea>" in refused.content.decode()
    assert again(page).send('value="survey"', rating="5", comment="Quick").status_code == 303
    assert Survey.objects.get().rating == 5
    new = page.client.post(
        "/chat/new/", {"csrfmiddlewaretoken": again(page).fields('value="message"')["csrfmiddlewaretoken"]}
    )
    assert new.status_code == 302
    assert "Quick" not in again(page).html


def test_the_frame_in_the_page_tells_of_news_and_notes_what_was_seen(page: Page, cast: Cast) -> None:
    conversation = begun(page)
    Turn.objects.update(state=Turn.State.ESCALATED)
    request_human(conversation=conversation)
    shown = again(page)
    address = re.search(r'<iframe class="news" src="([^"]+)"', shown.html)
    assert address is not None
    quiet = page.client.get(address[1])
    assert 'http-equiv="refresh"' in quiet.content.decode()
    assert quiet["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in quiet["Content-Security-Policy"]
    conversation.refresh_from_db()
    assert conversation.customer_read_seq == conversation.last_seq
    assert conversation.customer_seen_at is not None
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    message_staff(conversation=conversation, staff=cast.agent, text="Hello from a person")
    assert 'target="_top"' in page.client.get(address[1]).content.decode()
    assert "There is news" in page.client.get(address[1]).content.decode()
    assert "Hello from a person" in again(page).html
    assert Client().get(address[1]).status_code == 404


def test_a_form_speaks_of_its_own_conversation(page: Page, cast: Cast) -> None:
    old = begun(page)
    stale = again(page)
    page.client.post("/chat/new/", {"csrfmiddlewaretoken": stale.fields('id="composer"')["csrfmiddlewaretoken"]})
    assert stale.say("For the first one").status_code == 303
    assert Message.objects.get(text="For the first one").conversation == old


def test_nobody_writes_into_another_ones(page: Page, cast: Cast) -> None:
    begun(page)
    foreign, _ = conversation_create(channel="chat", customer=cast.other)
    for named in (foreign.pk, uuid4(), "nonsense"):
        form = {**again(page).fields('id="composer"'), "conversation": str(named), "text": "Let me in"}
        refused = page.client.post("/chat/do/", form)
        assert refused.status_code == 404
        assert ">Let me in</textarea>" in refused.content.decode()
    assert not Message.objects.filter(conversation=foreign).exists()


def test_after_signing_out_the_words_are_kept_and_begin_anew(page: Page, cast: Cast) -> None:
    client = Client()
    client.post("/account/login/", {"email": cast.owner.email, "password": PASSWORD})
    mine = Page(client)
    mine.say("Hello")
    stale = Page(client)
    client.post("/account/logout/")
    refused = stale.say("Are you there?")
    assert refused.status_code == 404
    assert Page(client, refused.content.decode()).say("Are you there?").status_code == 303
    assert Conversation.objects.count() == 2


def test_it_wants_the_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/")
    form = {"type": "message", "client_message_id": str(uuid4()), "text": "Hello"}
    assert client.post("/chat/do/", form).status_code == 403
    assert client.get("/chat/do/").status_code == 405
    assert not Conversation.objects.exists()


def test_a_click_without_a_conversation_leads_to_the_page(page: Page) -> None:
    fields = {**page.fields('id="composer"'), "type": "close"}
    answer = page.client.post("/chat/do/", fields)
    assert (answer.status_code, answer["Location"]) == (303, "/")
    assert not Conversation.objects.exists()


def test_while_new_ones_are_paused_the_words_are_kept(page: Page, cast: Cast) -> None:
    switch_on(name=Switch.Name.PAUSE_NEW, staff=cast.lead, reason="Maintenance")
    forget()  # what the commit would do
    try:
        refused = page.say("Where is my tent?")
        assert refused.status_code == 503
        assert ">Where is my tent?</textarea>" in refused.content.decode()
    finally:
        forget()


def test_closed_long_ago_it_goes_on_in_a_new_one(page: Page) -> None:
    old = begun(page)
    conversation_close(conversation=old)
    Conversation.objects.update(closed_at=timezone.now() - timedelta(days=20))
    assert again(page).say("One more thing").status_code == 303
    assert "One more thing" in again(page).html
    assert Conversation.objects.filter(continued_from=old).count() == 1


def test_what_is_earlier_is_a_page_of_its_own(page: Page) -> None:
    conversation = begun(page)
    for number in range(103):
        message_system(conversation=conversation, text=f"line {number};")
    link = re.search(r'id="earlier"[^>]*href="([^"]+)"', again(page).html)
    assert link is not None
    whole = page.client.get(link[1]).content.decode()
    assert "<html" in whole
    assert "line 0;" in whole
    fragment = page.client.get(link[1], headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert 'hx-target="#messages"' in fragment
