"""Where staff are signed in: listed in words, ended one by one or all at once, by themselves or an admin; audited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from support_agent.ops.live.standing import members_of
from support_agent.sign_in.sessions import device_of
from tests.cast import PASSWORD, Cast
from tests.staff_sign_in.conftest import give_app
from tickets.models import AuditEntry

pytestmark = pytest.mark.django_db
Door = Callable[..., Client]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Safari/604"


def is_open(browser: Client) -> bool:
    return browser.get("/admin/inbox/").status_code == 200


def ids(browser: Client, path: str = "/admin/account/") -> list[str]:
    import re

    return re.findall(r'name="session" value="(\d+)"', browser.get(path).content.decode())


def test_each_place_is_named_and_one_is_this(cast: Cast, door: Door) -> None:
    give_app(cast.agent)
    door(cast.agent, agent=SAFARI, address="192.0.2.7")
    here = door(cast.agent, agent=FIREFOX, address="192.0.2.8")
    shown = here.get("/admin/account/").content.decode()
    assert shown.index("Firefox on Windows") < shown.index("this one") < shown.index("Safari on iPhone")
    assert "192.0.2.7" in shown
    assert "192.0.2.8" in shown
    assert len(ids(here)) == 1


def test_one_session_is_ended_and_its_socket_with_it(cast: Cast, door: Door) -> None:
    give_app(cast.agent)
    lost, here = door(cast.agent, agent=SAFARI), door(cast.agent, agent=FIREFOX)
    keys = [browser.cookies["sessionid"].value for browser in (lost, here)]
    assert set(members_of(keys)) == set(keys)
    here.post("/admin/account/sessions/end/", {"session": ids(here)[0]})
    assert set(members_of(keys)) == {keys[1]}  # what an open socket is asked about when a session ends
    assert not is_open(lost)
    assert is_open(here)
    assert AuditEntry.objects.filter(actor=cast.agent, action="session.end").count() == 1


def test_all_others_are_ended(cast: Cast, door: Door) -> None:
    give_app(cast.agent)
    others, here = [door(cast.agent) for _ in range(2)], door(cast.agent)
    here.post("/admin/account/sessions/end/", {"session": "others"})
    assert is_open(here)
    assert not any(is_open(one) for one in others)


def test_nobody_ends_the_sessions_of_others_but_admins(cast: Cast, door: Door) -> None:
    for person in (cast.agent, cast.lead, cast.admin):
        give_app(person)
    agent, lead, admin = door(cast.agent), door(cast.lead, agent=SAFARI), door(cast.admin)
    path = f"/admin/account/people/{cast.agent.pk}/"
    [theirs] = ids(admin, path)
    lead.post("/admin/account/sessions/end/", {"session": theirs})
    assert lead.get(path).status_code == lead.post(path + "end/", {"session": theirs}).status_code == 403
    assert is_open(agent)
    admin.post(path + "end/", {"session": theirs})
    assert not is_open(agent)
    assert AuditEntry.objects.filter(actor=cast.admin, action="session.end").exists()


@pytest.mark.django_db(transaction=True)
def test_an_admin_resets_factors_and_the_person_is_told(cast: Cast, door: Door, jobs_at_once: None) -> None:
    for person in (cast.agent, cast.admin):
        give_app(person)
    agent, admin = door(cast.agent), door(cast.admin)
    admin.post(f"/admin/account/people/{cast.agent.pk}/reset/")
    assert not is_open(agent)
    assert door(cast.agent).get("/admin/inbox/").headers["Location"].startswith("/admin/account/")
    assert AuditEntry.objects.filter(actor=cast.admin, action="factors.reset").exists()
    [told] = [sent for sent in mail.outbox if sent.to == [cast.agent.email]]
    assert "reset the sign-in of your account" in told.body


def test_the_command_does_it_when_no_admin_gets_in(cast: Cast, door: Door, capsys: Any) -> None:
    give_app(cast.admin)
    call_command("staff_reset_mfa", "admin")
    assert "admin: 2 taken away" in capsys.readouterr().out
    assert "Set up a second factor" in door(cast.admin).get("/admin/account/").content.decode()
    with pytest.raises(CommandError, match="no member of staff called 'olivia'"):
        call_command("staff_reset_mfa", "olivia")


def test_another_password_keeps_this_place_and_ends_the_others(cast: Cast, door: Door) -> None:
    give_app(cast.agent)
    other, here = door(cast.agent), door(cast.agent, agent=FIREFOX)
    new = {"old_password": PASSWORD, "new_password1": "another-horse-8", "new_password2": "another-horse-8"}
    assert here.post("/admin/password_change/", new).status_code == 302
    assert is_open(here)
    assert not is_open(other)
    assert "this one" in here.get("/admin/account/").content.decode()
    assert ids(here) == []


def test_a_session_without_its_factor_opens_no_inbox_socket(cast: Cast, door: Door) -> None:
    half = door(cast.agent).cookies["sessionid"].value  # a password, and a factor still to be set up
    assert members_of([half]) == {}


def test_a_page_of_the_desk_costs_no_query_more(cast: Cast, door: Door, django_assert_num_queries: Any) -> None:
    give_app(cast.agent)
    browser = door(cast.agent)
    browser.get("/admin/jsi18n/")
    from support_agent.sign_in.standing import Standing, standing

    session = dict(browser.session)
    with django_assert_num_queries(0):
        assert standing(session) is Standing.PASSED


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("curl/8<b>", "curl/8b"),
        ("", "An unknown browser"),
    ],
)
def test_devices_in_words(agent: str, words: str) -> None:
    assert device_of(agent) == words
