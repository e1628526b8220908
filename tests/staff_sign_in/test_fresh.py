"""Sensitive deeds ask again after a quarter of an hour, everything else does not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from support_agent.sign_in import standing
from tests.cast import PASSWORD, Cast
from tests.staff_sign_in.conftest import code_now, give_app

pytestmark = pytest.mark.django_db
Door = Callable[..., Client]


@pytest.fixture
def stale(cast: Cast, door: Door, monkeypatch: pytest.MonkeyPatch) -> Client:
    """An admin who signed in a quarter of an hour ago."""
    give_app(cast.admin)
    browser = door(cast.admin)
    age(browser, standing.FRESH_S + 1)
    return browser


def age(browser: Client, seconds: int) -> None:
    session = browser.session
    for proof in session[standing.METHODS]:
        proof["at"] -= seconds
    session.save()


def asked(browser: Client, path: str) -> bool:
    return browser.get(path).headers.get("Location", "").startswith("/admin/account/confirm/")


def test_what_is_asked_for_again(stale: Client, cast: Cast) -> None:
    sensitive = [
        f"/admin/tickets/user/{cast.agent.pk}/change/",
        "/admin/support_agent/apikey/add/",
        "/admin/auth/group/add/",
        "/admin/account/app/",
        f"/admin/account/people/{cast.agent.pk}/",
    ]
    assert [asked(stale, path) for path in sensitive] == [True] * len(sensitive)
    plain = ["/admin/", "/admin/inbox/", "/admin/tickets/user/", "/admin/account/", "/admin/tickets/order/"]
    assert [asked(stale, path) for path in plain] == [False] * len(plain)


def test_a_code_makes_it_fresh_under_a_new_key(stale: Client, cast: Cast) -> None:
    path, before = f"/admin/tickets/user/{cast.agent.pk}/change/", stale.session.session_key
    confirm = stale.get(path).headers["Location"]
    assert "Incorrect code" in stale.post(confirm, {"code": "123123"}).content.decode()
    assert "not your password" not in stale.post(confirm, {"password": PASSWORD}).content.decode()
    assert asked(stale, path)  # who has a factor shows it: the password is not enough
    answer = stale.post(confirm, {"code": code_now(cast.admin)})
    assert answer.headers["Location"] == path
    assert stale.session.session_key != before
    assert stale.get(path).status_code == 200
    assert stale.session.session_key in [row.session_key for row in cast.admin.usersession_set.all()]  # type: ignore[attr-defined]


def test_signing_in_anew_asks_for_the_factor_anew(stale: Client, cast: Cast) -> None:
    """Who finds a desk unlocked and knows the password does not ride on this morning's code."""
    path = f"/admin/tickets/user/{cast.agent.pk}/change/"
    answer = stale.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert answer.headers["Location"].startswith("/admin/login/code/")
    assert stale.get(path).headers["Location"].startswith("/admin/login/")
    stale.post("/admin/login/code/", {"code": code_now(cast.admin)})
    assert stale.get(path).status_code == 200


def test_a_new_password_proof_beside_an_old_code_is_not_fresh(stale: Client, cast: Cast) -> None:
    session = stale.session
    session[standing.METHODS] = [*session[standing.METHODS], {"method": "password", "at": time.time()}]
    session.save()
    assert asked(stale, f"/admin/tickets/user/{cast.agent.pk}/change/")


@pytest.mark.parametrize("records", ["tickets/user", "tickets/webhook", "auth/group", "support_agent/mcpserver"])
def test_what_is_chosen_in_a_list_is_not_deleted_by_a_stale_session(stale: Client, records: str) -> None:
    group = Group.objects.create(name="finance")
    chosen = {"action": "delete_selected", "_selected_action": group.pk, "post": "yes"}
    answer = stale.post(f"/admin/{records}/", chosen)
    assert answer.headers["Location"].startswith("/admin/account/confirm/")
    assert Group.objects.filter(pk=group.pk).exists()


def test_a_form_that_comes_too_late_changes_nothing(stale: Client, cast: Cast) -> None:
    path = f"/admin/account/people/{cast.agent.pk}/reset/"
    page = f"http://testserver/admin/account/people/{cast.agent.pk}/"
    give_app(cast.agent)
    age(stale, standing.FORM_S - standing.FRESH_S)
    answer = stale.post(path, headers={"referer": page})
    assert answer.headers["Location"].startswith("/admin/account/confirm/?next=/admin/account/people/")
    assert cast.agent.authenticator_set.exists()  # type: ignore[attr-defined]
    elsewhere = stale.post(path, headers={"referer": "https://evil.example/x"})
    assert elsewhere.headers["Location"] == "/admin/account/confirm/?next=/admin/"


def test_a_form_that_was_opened_in_time_may_take_an_hour(stale: Client, cast: Cast) -> None:
    give_app(cast.agent)
    stale.post(f"/admin/account/people/{cast.agent.pk}/reset/")
    assert not cast.agent.authenticator_set.exists()  # type: ignore[attr-defined]


def test_who_has_no_factor_confirms_by_password(cast: Cast, door: Door, settings: object) -> None:
    settings.STAFF_MFA = "optional"  # type: ignore[attr-defined]
    browser = door(cast.admin)
    session = browser.session
    session[standing.METHODS][0]["at"] -= standing.FRESH_S + 1
    session.save()
    assert asked(browser, "/admin/account/app/")
    browser.post("/admin/account/confirm/", {"password": "wrong"})
    assert asked(browser, "/admin/account/app/")
    browser.post("/admin/account/confirm/", {"password": PASSWORD})
    assert not asked(browser, "/admin/account/app/")


def test_next_leads_nowhere_else(stale: Client, cast: Cast) -> None:
    answer = stale.post("/admin/account/confirm/?next=//evil.example/", {"code": code_now(cast.admin)})
    assert answer.headers["Location"] == "/admin/"
