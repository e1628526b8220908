"""A disabled or closed account opens nothing any more, neither what is its own nor what its browser began."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.chat.conftest import Line, begin, browser_session
from tickets.db import in_db
from tickets.models import Customer, Role, User

Lines = Callable[..., Line]


def disable(cast: Cast) -> None:
    cast.owner_user.is_active = False
    cast.owner_user.save()


def close(cast: Cast) -> None:
    Customer.objects.filter(pk=cast.owner.pk).update(status=Customer.Status.CLOSED)


def signed_in(cast: Cast) -> tuple[Client, UUID]:
    """A browser of the owner, and the conversation it began."""
    browser = Client()
    assert browser.login(username=cast.owner_user.username, password=PASSWORD)
    return browser, UUID(browser.post("/chat/start/").json()["id"])


@pytest.mark.parametrize("end", [disable, close])
def test_the_session_is_over(cast: Cast, end: Callable[[Cast], None]) -> None:
    browser, conversation = signed_in(cast)
    assert browser.get(f"/api/v1/conversations/{conversation}/events").status_code == 200
    end(cast)
    assert browser.get(f"/chat/{conversation}/earlier/?before=9").status_code == 404
    assert browser.get(f"/api/v1/conversations/{conversation}/events").status_code == 401
    page = browser.get("/").content.decode()
    assert str(conversation) not in page
    assert cast.owner.name.split()[0] not in page
    assert browser.post("/chat/start/").json()["id"] != str(conversation)  # it goes on as a stranger


@pytest.mark.parametrize("end", [disable, close])
async def test_no_new_socket(people: Cast, lines: Lines, end: Callable[[Cast], None]) -> None:
    conversation, _ = await begin(people.owner)
    cookie = await browser_session(people.owner_user, conversation)
    await in_db(end, people)
    line = lines(conversation.pk, cookie=cookie)
    await line.open()
    assert await line.closed() == 4401


async def test_disabling_closes_the_open_socket_at_once(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin(people.owner)
    line = lines(conversation.pk, cookie=await browser_session(people.owner_user, conversation))
    await line.open()
    await line.until("ready")
    await in_db(disable, people)
    assert await line.closed() == 4401


@pytest.mark.parametrize("from_the_group", [True, False])
def test_a_role_that_changes_is_announced(
    cast: Cast,
    from_the_group: bool,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    told: list[str] = []
    monkeypatch.setattr("support_agent.chat.endings.publish", lambda frames: told.extend(group for group, _ in frames))
    group = Group.objects.get(name=Role.AGENT.value)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        if from_the_group:
            group.user_set.remove(cast.agent)
        else:
            cast.agent.groups.remove(group)
    assert told == [f"user.{cast.agent.pk.hex}"]


def test_a_closed_account_cannot_sign_in(cast: Cast) -> None:
    close(cast)
    browser = Client()
    browser.post("/account/login/", {"email": cast.owner.email, "password": PASSWORD})
    browser.post("/account/login/", {"as": str(cast.owner.pk)})
    assert "_auth_user_id" not in browser.session
    assert User.objects.get(pk=cast.owner_user.pk).is_active  # it is the account that is closed
