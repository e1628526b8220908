"""A reply of staff that nobody has seen for two minutes is mailed once, with a single-use link into its thread."""

from __future__ import annotations

import re
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused, SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from support_agent.chat.visitors import SESSION_KEY
from tests.cast import Cast
from tickets.models import Conversation, Customer, Message, ThreadLink
from tickets.services.conversations import (
    contact_set,
    conversation_claim,
    conversation_close,
    conversation_create,
    conversation_identify,
    read_mark,
)
from tickets.services.messages import message_assistant, message_post
from tickets.services.replies import reply_post
from tickets.services.reply_mails import mail_unseen_replies

AGO = timedelta(minutes=3)


def talk(cast: Cast, customer: Customer | None = None, contact: str = "") -> Conversation:
    """A conversation that the agent has taken over."""
    identity = "session" if customer else ""
    conversation, _ = conversation_create(channel="chat", customer=customer, identity=identity)
    message_post(conversation=conversation, client_message_id=uuid4(), text="My order AP-100001 is late")
    if contact:
        contact_set(conversation=conversation, email=contact)
    return conversation_claim(conversation_id=conversation.pk, staff=cast.agent)


def reply(cast: Cast, conversation: Conversation, text: str = "It leaves today.", ago: timedelta = AGO) -> Message:
    message = reply_post(conversation_id=conversation.pk, staff=cast.agent, text=text)
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - ago)
    return message


def the_link() -> str:
    """The address in the newest mail."""
    found = re.search(r"http\S+(/chat/back/\?token=\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def token() -> str:
    return the_link().partition("=")[2]


def enter(client: Client) -> Any:
    return client.post("/chat/back/", {"token": token()})


def inside(client: Client) -> list[str]:
    """The conversations this browser may enter without an account."""
    return list(client.session.get(SESSION_KEY, []))


# ---- the mail


def test_an_unseen_reply_is_mailed_once(cast: Cast) -> None:
    conversation = talk(cast, cast.owner)
    reply(cast, conversation)
    assert (mail_unseen_replies(), mail_unseen_replies()) == (1, 0)
    (sent,) = mail.outbox
    assert sent.to == [cast.owner.email]
    assert sent.reply_to == ["answers@alderandpine.example"]
    body = str(sent.body)
    assert "Agent, Alder & Pine, wrote:" in body
    assert "> It leaves today." in body
    assert "answer in the chat" in body
    assert "AP-100001" not in body, "what the customer wrote stays in the chat"
    assert cast.owner.name not in body


def test_several_replies_are_one_mail_and_the_next_run_another(cast: Cast) -> None:
    conversation = talk(cast, cast.owner)
    reply(cast, conversation, "One moment.")
    reply(cast, conversation, "Here it is.", ago=timedelta(seconds=1))
    assert mail_unseen_replies() == 1
    assert re.findall(r"^> (.+)$", str(mail.outbox[0].body), re.M) == ["One moment.", "Here it is."]
    reply(cast, conversation, "Are you there?")
    assert mail_unseen_replies() == 1
    assert re.findall(r"^> (.+)$", str(mail.outbox[1].body), re.M) == ["Are you there?"]


@pytest.mark.parametrize("why", ["fresh", "seen", "nowhere", "assistant", "old"])
def test_what_is_not_mailed(cast: Cast, why: str) -> None:
    conversation = talk(cast, None if why == "nowhere" else cast.owner)
    if why == "assistant":
        message_assistant(conversation=conversation, text="Hello.", turn_id=uuid4())
        Message.objects.update(created_at=timezone.now() - AGO)
    else:
        said = reply(cast, conversation, ago=timedelta(minutes=1) if why == "fresh" else AGO)
    if why == "seen":
        read_mark(conversation=conversation, seq=said.seq)
    if why == "old":
        Conversation.objects.update(last_message_at=timezone.now() - timedelta(days=3))
    assert mail_unseen_replies() == 0
    assert mail.outbox == []


def test_the_address_left_in_the_chat_will_do(cast: Cast) -> None:
    reply(cast, talk(cast, contact="me@example.com"))
    mail_unseen_replies()
    assert mail.outbox[0].to == ["me@example.com"]


def test_no_table_holds_the_token(cast: Cast) -> None:
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    assert token() not in str(ThreadLink.objects.values().get())


def test_a_mail_server_that_is_away_delays_the_mail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise ConnectionRefusedError

    conversation = talk(cast, cast.owner)
    reply(cast, conversation)
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        assert mail_unseen_replies() == 0
    assert mail_unseen_replies() == 0, "not at once again"
    reply(cast, conversation, "And there is more.")
    ThreadLink.objects.update(tried_at=timezone.now() - timedelta(minutes=5))
    assert mail_unseen_replies() == 1
    assert len(re.findall(r"^> (.+)$", str(mail.outbox[0].body), re.M)) == 2


def test_who_came_back_meanwhile_gets_no_mail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = talk(cast, cast.owner)
    said = reply(cast, conversation)
    with monkeypatch.context() as patch:
        patch.setattr("tickets.services.reply_mails._send_waiting", lambda _: 0)
        mail_unseen_replies()
    read_mark(conversation=conversation, seq=said.seq)
    assert mail_unseen_replies() == 0
    assert mail.outbox == []


REFUSALS = [
    SMTPRecipientsRefused({"owner@northwind.example": (550, b"no such user")}),
    SMTPSenderRefused(451, b"try again later", "desk@alderandpine.example"),
    SMTPDataError(554, b"looks like spam"),
    ValueError("a mail that cannot be written"),
]


def refuse_some(monkeypatch: pytest.MonkeyPatch, address: str, error: Exception) -> list[str]:
    """A relay that takes mails to everybody but one; which addresses were tried."""
    send, tried = EmailBackend.send_messages, list[str]()

    def send_some(self: EmailBackend, mails: Any) -> int:
        tried.extend(mails[0].to)
        if mails[0].to == [address]:
            raise error
        return send(self, mails)

    monkeypatch.setattr(EmailBackend, "send_messages", send_some)
    return tried


def a_while_later() -> None:
    ThreadLink.objects.update(tried_at=timezone.now() - timedelta(minutes=5))


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_an_address_that_is_refused_holds_up_nobody_and_is_given_up(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    for n in range(3):
        reply(cast, talk(cast, contact=f"me{n}@example.com"))
    refused = talk(cast, contact="gone@example.com")
    reply(cast, refused)  # the newest
    tried = refuse_some(monkeypatch, "gone@example.com", error)
    assert mail_unseen_replies() == 3
    for _ in range(10):
        a_while_later()
        assert mail_unseen_replies() == 0
    assert tried.count("gone@example.com") == 5
    reply(cast, refused, "And there is more.")
    a_while_later()
    mail_unseen_replies()
    assert tried.count("gone@example.com") == 6, "more to tell is tried anew"


@pytest.mark.parametrize(
    "error", [SMTPServerDisconnected(), TimeoutError(), SMTPRecipientsRefused({"me": (421, b"closing")})]
)
def test_while_the_server_is_away_nobody_is_given_up(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    for n in range(2):
        reply(cast, talk(cast, contact=f"me{n}@example.com"))
    with monkeypatch.context() as patch:
        tried = refuse_some(patch, "me0@example.com", error)
        for _ in range(7):
            a_while_later()
            assert mail_unseen_replies() == 0
    assert tried == ["me0@example.com"] * 7, "the others wait too"
    a_while_later()
    assert mail_unseen_replies() == 2


def test_a_reply_that_came_while_the_mail_went_out_gets_its_own(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = talk(cast, cast.owner)
    reply(cast, conversation, "One moment.")
    send = EmailBackend.send_messages

    def slowly(self: EmailBackend, mails: Any) -> int:
        """The other worker comes by while this one talks to the relay."""
        with monkeypatch.context() as patch:
            patch.setattr(EmailBackend, "send_messages", send)
            reply(cast, conversation, "Here it is.")
            assert mail_unseen_replies() == 0
        return send(self, mails)

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", slowly)
        assert mail_unseen_replies() == 1
    first = token()
    assert (mail_unseen_replies(), mail_unseen_replies()) == (1, 0)
    assert [re.findall(r"^> (.+)$", str(sent.body), re.M) for sent in mail.outbox] == [["One moment."], ["Here it is."]]
    assert token() != first


# ---- the link


def test_looking_at_the_link_does_not_use_it_up(client: Client, cast: Cast) -> None:
    conversation = talk(cast, cast.owner)
    reply(cast, conversation)
    mail_unseen_replies()
    for _ in range(3):  # a mail scanner
        page = client.get(the_link())
        assert page.status_code == 200
        assert b"Continue" in page.content
        assert b"It leaves today" not in page.content
        assert inside(client) == []
    answer = enter(client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert inside(client) == [str(conversation.pk)]
    assert b"It leaves today" in client.get("/").content


def test_it_opens_one_thread_and_nothing_else(client: Client, cast: Cast) -> None:
    other = talk(cast, cast.owner)
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    enter(client)
    assert client.get(f"/chat/{other.pk}/earlier/?before=9").status_code == 404
    assert "_auth_user_id" not in client.session


def test_it_works_once_and_then_shows_the_way_in(cast: Cast) -> None:
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    link = the_link()
    enter(Client())
    thief = Client()
    for answer in (thief.get(link), enter(thief)):
        assert answer.status_code == 410
        assert b"used already" in answer.content
        assert b"Send me a new link" in answer.content
        assert b"/account/login/" in answer.content
    assert inside(thief) == []


def test_who_is_inside_already_needs_no_link(client: Client, cast: Cast) -> None:
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    client.force_login(cast.owner_user)
    assert client.get(the_link())["Location"] == "/"
    assert ThreadLink.objects.get().used_at is None


def test_a_new_link_goes_to_the_same_mailbox(cast: Cast) -> None:
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    first = token()
    ThreadLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    client = Client()
    assert client.get(the_link()).status_code == 410
    answer = client.post("/chat/back/again/", {"token": first})
    assert answer.status_code == 200
    assert cast.owner.email not in answer.content.decode(), "the address is shown masked"
    assert mail_unseen_replies() == 1
    assert mail.outbox[-1].to == [cast.owner.email]
    assert "It leaves today" not in str(mail.outbox[-1].body)
    assert token() != first
    assert enter(client).status_code == 302


@pytest.mark.parametrize("seen", ["before", "after"])
def test_a_link_that_was_asked_for_is_sent_whatever_was_seen(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, seen: str
) -> None:
    conversation = talk(cast, cast.owner)
    reply(cast, conversation)
    mail_unseen_replies()
    old = token()
    enter(Client())
    said = reply(cast, conversation, "And there is more.")
    with monkeypatch.context() as patch:
        patch.setattr("tickets.services.reply_mails._send_waiting", lambda _: 0)
        mail_unseen_replies()  # claimed, not sent yet
    if seen == "before":  # on another device
        read_mark(conversation=conversation, seq=said.seq)
        assert mail_unseen_replies() == 0
    assert b"on its way" in Client().post("/chat/back/again/", {"token": old}).content
    read_mark(conversation=conversation, seq=said.seq)
    assert (mail_unseen_replies(), mail_unseen_replies()) == (1, 0)
    assert "here is the link you asked for" in str(mail.outbox[-1].body)
    assert enter(Client()).status_code == 302


def test_an_address_that_proved_nothing_opens_no_account(cast: Cast) -> None:
    conversation = talk(cast, contact="me@example.com")
    reply(cast, conversation)
    mail_unseen_replies()
    conversation_identify(conversation=conversation, customer=cast.owner, identity="code")
    client = Client()
    assert client.get(the_link()).status_code == 410
    assert enter(client).status_code == 410
    assert client.post("/chat/back/again/", {"token": token()}).status_code == 410
    assert mail_unseen_replies() == 0
    assert inside(client) == []


def test_another_customer_is_told_to_sign_out_and_the_link_stays_good(client: Client, cast: Cast) -> None:
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    client.force_login(cast.other_user)
    assert client.get(the_link()).status_code == 409
    assert enter(client).status_code == 409
    assert ThreadLink.objects.get().used_at is None


@pytest.mark.parametrize("wrong", ["", "abc", "%00", "a" * 5000])
def test_a_mangled_link_is_a_page_too(client: Client, db: None, wrong: str) -> None:
    answer = client.get(f"/chat/back/?token={wrong}")
    assert answer.status_code == 404
    assert b"Perhaps a part of it is missing" in answer.content


def test_it_needs_a_csrf_token(cast: Cast) -> None:
    reply(cast, talk(cast, cast.owner))
    mail_unseen_replies()
    assert enter(Client(enforce_csrf_checks=True)).status_code == 403


def test_the_survey_is_there_for_who_comes_back_later(client: Client, cast: Cast) -> None:
    conversation = talk(cast, cast.owner)
    reply(cast, conversation)
    conversation_close(conversation=conversation, actor=cast.agent)
    mail_unseen_replies()
    enter(client)
    page = client.get("/").content
    assert b"How did we do?" in page
    assert b"Write again to reopen it" in page
