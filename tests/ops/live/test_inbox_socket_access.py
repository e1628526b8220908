"""Who gets the inbox's socket, and that it ends within seconds of a sign-out or a lost role."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest
from django.contrib.auth.models import Group

from support_agent.ops.live import consumer
from tests.cast import PASSWORD, Cast
from tests.ops.live.conftest import Page
from tickets.db import in_db
from tickets.models import User

Open = Callable[..., Awaitable[Page]]
SOON_S = 5.0


async def refusal(page: Page) -> int:
    assert await page.open(), "a refusal with a code must come after the socket was accepted"
    return await page.closed()


async def test_every_role_of_staff_gets_in(people: Cast, pages: Open) -> None:
    for user in (people.agent, people.lead, people.ops, people.admin):
        page = await pages(user, opened=False)
        await page.open()
        assert (await page.frame())["name"] == user.username.title()


async def test_strangers_customers_and_staff_without_a_role_do_not(people: Cast, pages: Open) -> None:
    assert await refusal(await pages(None, opened=False)) == 4401
    assert await refusal(await pages(people.owner_user, opened=False)) == 4401
    await in_db(people.agent.groups.clear)
    assert await refusal(await pages(people.agent, opened=False)) == 4403


async def test_a_foreign_origin_is_refused_and_none_is_not_enough(people: Cast, pages: Open) -> None:
    assert not await (await pages(people.agent, opened=False, origin="http://evil.example")).open()
    assert not await (await pages(people.agent, opened=False, origin=None)).open()
    disguised = await pages(people.agent, opened=False, origin=None, query="?token=x")
    assert await refusal(disguised) == 4401


async def test_too_many_windows_of_one_person(people: Cast, pages: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "SOCKETS_PER_PERSON", 1)
    await pages(people.agent)
    assert await refusal(await pages(people.agent, opened=False)) == 4429
    await pages(people.lead)


async def test_logging_out_of_the_desk_closes_it_within_seconds(people: Cast, pages: Open) -> None:
    page, other = await pages(people.agent), await pages(people.agent)
    began = time.monotonic()
    await in_db(page.browser.post, "/admin/logout/")
    assert await page.closed() == 4401
    assert time.monotonic() - began < SOON_S
    await other.send("ping")  # another browser of theirs stays signed in
    assert (await other.until("pong"))["type"] == "pong"


def lose_the_role(user: User) -> None:
    user.groups.remove(Group.objects.get(name="agent"))


def lose_the_desk(user: User) -> None:
    user.is_staff = False
    user.save()


def lose_the_account(user: User) -> None:
    user.is_active = False
    user.save()


def change_the_password(user: User) -> None:
    user.set_password(PASSWORD + "!")
    user.save()


@pytest.mark.parametrize(
    ("loss", "code"),
    [(lose_the_role, 4403), (lose_the_desk, 4401), (lose_the_account, 4401), (change_the_password, 4401)],
)
async def test_whoever_loses_role_or_account_is_out_at_once(
    people: Cast, pages: Open, loss: Callable[[User], None], code: int
) -> None:
    page = await pages(people.agent)
    await in_db(loss, await in_db(User.objects.get, pk=people.agent.pk))
    assert await page.closed() == code


async def test_a_loss_nobody_announced_is_noticed_at_the_next_frame(people: Cast, pages: Open) -> None:
    page = await pages(people.agent)
    await in_db(User.objects.filter(pk=people.agent.pk).update, is_active=False)
    await page.send("read", conversation_id="0" * 32, seq=1)
    assert await page.closed() == 4401


async def test_a_huge_frame_ends_it(people: Cast, pages: Open) -> None:
    page = await pages(people.agent)
    await page.raw("x" * 20_000)
    assert await page.closed() == 4413


async def test_frames_of_somebody_refused_are_not_heard(people: Cast, pages: Open) -> None:
    await in_db(people.agent.groups.clear)
    page = await pages(people.agent, opened=False)
    await page.open()
    await page.send("watch", conversation_id="0" * 32)
    await page.send("ping")
    assert await page.closed() == 4403
    assert await page.silent()
