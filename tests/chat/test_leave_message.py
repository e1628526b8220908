"""A paused desk still takes messages: the page says so, and the form makes a ticket a person answers by e-mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from support_agent.runtime import controls
from support_agent.runtime.controls import switch_on
from tests.cast import Cast
from tickets.models import Ticket

FORM = {"email": "someone@example.com", "category": "product", "text": "My tent leaks.\nWhat can I do?"}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    controls.forget()
    yield
    controls.forget()


PAUSED = b"start new chats right now"


def test_a_paused_chat_points_to_the_form(client: Client, cast: Cast) -> None:
    assert PAUSED not in client.get("/").content
    switch_on(name="pause_new", staff=cast.ops, reason="maintenance")
    controls.forget()
    content = client.get("/").content
    assert PAUSED in content
    assert b'<a href="/message/">' in content.split(PAUSED)[1]
    assert client.get("/help/").status_code == 200


def test_a_message_becomes_a_ticket_of_nobodys_account(client: Client, cast: Cast) -> None:
    answer = client.post("/message/", {**FORM, "email": cast.owner.email})
    ticket = Ticket.objects.get()
    assert ticket.number in answer.content.decode()
    assert (ticket.subject, ticket.customer, ticket.contact_email) == ("My tent leaks.", None, cast.owner.email)


def test_a_signed_in_customers_message_is_theirs(client: Client, cast: Cast) -> None:
    client.force_login(cast.owner_user)
    client.post("/message/", FORM)
    assert Ticket.objects.get().customer == cast.owner


@pytest.mark.parametrize("wrong", [{"email": "nobody"}, {"text": "  "}, {"text": "x" * 5001}, {"category": "nonsense"}])
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(client: Client, cast: Cast, wrong: dict[str, str]) -> None:
    answer = client.post("/message/", {**FORM, **wrong})
    assert answer.status_code == 422
    assert not Ticket.objects.exists()
    if "email" in wrong:
        assert b"My tent leaks." in answer.content


def test_it_needs_a_csrf_token(cast: Cast) -> None:
    assert Client(enforce_csrf_checks=True).post("/message/", FORM).status_code == 403
