"""Whoever signs out, or loses session, account or role, is off every socket within seconds, and at once when told."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from support_agent.chat import cursors
from tests.cast import PASSWORD, Cast
from tests.chat.conftest import Line, begin
from tickets.db import in_db
from tickets.models import Conversation, Customer, User

Lines = Callable[..., Line]
SOON_S = 5.0


def sign_in(user: User) -> Client:
    browser = Client()
    assert browser.login(username=user.username, password=PASSWORD)
    return browser


def sign_out(browser: Client, user: User) -> None:
    browser.post("/account/logout/")


def sign_out_of_the_desk(browser: Client, user: User) -> None:
    browser.post("/admin/logout/")


def sign_in_as_somebody_else(browser: Client, user: User) -> None:
    browser.post("/account/login/", {"email": "oscar.other@example.com", "password": PASSWORD})


def new_password(browser: Client, user: User) -> None:
    user.set_password("another-horse-8")
    user.save()


def be_disabled(browser: Client, user: User) -> None:
    user.is_active = False
    user.save()


def close_the_account(browser: Client, user: User) -> None:
    customer = Customer.objects.get(user=user)
    customer.status = Customer.Status.CLOSED
    customer.save()


LOSSES = [sign_out, sign_out_of_the_desk, sign_in_as_somebody_else, new_password, be_disabled, close_the_account]


@pytest.mark.parametrize("loss", LOSSES)
async def test_the_chat_is_closed_at_once(
    people: Cast, lines: Lines, loss: Callable[[Client, User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the push alone: the net below it is taken away."""
    monkeypatch.setattr(cursors, "EVERY", 3600.0)
    user = people.owner_user
    if loss is sign_out_of_the_desk:  # which only staff can do; some of them are customers too
        await in_db(User.objects.filter(pk=user.pk).update, is_staff=True)
        await in_db(user.groups.add, await in_db(Group.objects.get, name="agent"))
        user = await in_db(User.objects.get, pk=user.pk)
    conversation, _ = await begin(people.owner)
    browser = await in_db(sign_in, user)
    line = lines(conversation.pk, cookie=browser.cookies["sessionid"].value)
    await line.open()
    await line.until("ready")
    began = time.monotonic()
    await in_db(loss, browser, user)
    assert await line.closed() == 4401
    assert time.monotonic() - began < SOON_S


async def leave_no_word(people: Cast, how: str) -> None:
    """Somebody is out, and no push says so: Redis was away, or another program wrote it."""
    if how == "the session":
        await in_db(lambda: Session.objects.all()._raw_delete("default"))
    elif how == "its time":
        await in_db(Session.objects.update, expire_date=timezone.now())
    elif how == "the account":
        await in_db(User.objects.filter(pk=people.owner_user.pk).update, is_active=False)
    else:
        await in_db(Customer.objects.filter(pk=people.owner.pk).update, status=Customer.Status.CLOSED)


@pytest.mark.parametrize("how", ["the session", "its time", "the account", "the customer"])
async def test_the_chat_is_closed_in_the_next_round_when_nobody_said_so(
    people: Cast, lines: Lines, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cursors.EVERY <= SOON_S
    monkeypatch.setattr(cursors, "EVERY", 3600.0)  # the round is made by hand
    conversation, token = await begin(people.owner)
    browser = await in_db(sign_in, people.owner_user)
    line = lines(conversation.pk, cookie=browser.cookies["sessionid"].value)
    program = lines(conversation.pk, token=token, origin=None)
    for one in (line, program):
        await one.open()
        await one.until("ready")
    await cursors.watch().check()
    await line.send(type="ping")
    await line.until("pong")
    await leave_no_word(people, how)
    await cursors.watch().check()
    assert await line.closed() == 4401
    await program.send(type="ping")  # a token has no session to lose
    await program.until("pong")
    assert await in_db(Conversation.objects.count) == 1
