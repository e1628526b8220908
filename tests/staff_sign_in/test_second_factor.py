"""A password alone does not open the desk: who has a factor shows it, who has none sets one up before anything else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.staff_sign_in.conftest import code_now, give_app
from tickets.models import AuditEntry, Customer, User
from tickets.services.articles import article_save

pytestmark = pytest.mark.django_db
Door = Callable[..., Client]
DESK = ["/admin/", "/admin/inbox/", "/admin/traces/", "/django-rq/", "/admin/tickets/order/"]


def stops_at(browser: Client, path: str) -> str:
    """Where a page sends on to; empty when it opens."""
    answer = browser.get(path)
    return answer.headers.get("Location", "").partition("?")[0] if answer.status_code == 302 else ""


@pytest.mark.parametrize("path", DESK)
def test_who_has_no_factor_gets_nowhere_but_to_its_set_up(cast: Cast, door: Door, path: str) -> None:
    for person in (cast.agent, cast.admin):
        assert stops_at(door(person), path) == "/admin/account/"


@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_and_opens_the_desk(cast: Cast, door: Door, jobs_at_once: None) -> None:
    browser = door(cast.lead)
    assert "Set up a second factor to go on" in browser.get("/admin/account/").content.decode()
    shown = browser.get("/admin/account/app/").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', shown)
    assert secret
    picture = browser.get("/admin/account/app/picture.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert b"<svg" in picture.content
    before = browser.session.session_key
    wrong = browser.post("/admin/account/app/", {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    right = browser.post("/admin/account/app/", {"code": code_now(cast.lead, secret[1].replace(" ", ""))})
    assert right.headers["Location"] == "/admin/account/codes/"
    assert browser.session.session_key != before
    codes = re.findall(r"<code>(\d{8})</code>", browser.get("/admin/account/codes/").content.decode())
    assert len(codes) == 10
    assert not re.findall(r"<code>", browser.get("/admin/account/codes/").content.decode())  # once
    assert [stops_at(browser, path) for path in DESK if path != "/django-rq/"] == ["", "", "", ""]
    assert AuditEntry.objects.filter(actor=cast.lead, action="factor.added").count() == 2
    assert [sent.to for sent in mail.outbox] == [[cast.lead.email]]


def test_a_code_is_asked_for_and_good_once(cast: Cast) -> None:
    give_app(cast.agent)
    browser = Client()
    sent = browser.post("/admin/login/", {"username": "agent", "password": PASSWORD, "next": "/admin/inbox/"})
    assert sent.headers["Location"] == "/admin/login/code/"
    assert "_auth_user_id" not in browser.session
    assert stops_at(browser, "/admin/inbox/") == "/admin/login/"
    assert "Incorrect code" in browser.post("/admin/login/code/", {"code": "123456"}).content.decode()
    before, code = browser.session.session_key, code_now(cast.agent)
    assert browser.post("/admin/login/code/", {"code": code}).headers["Location"] == "/admin/inbox/"
    assert browser.session.session_key != before
    assert browser.get("/admin/inbox/").status_code == 200
    second = Client()
    second.post("/admin/login/", {"username": "agent", "password": PASSWORD})
    assert "Incorrect code" in second.post("/admin/login/code/", {"code": code}).content.decode()


def test_a_recovery_code_opens_once(cast: Cast) -> None:
    codes = give_app(cast.agent)
    for code, opens in ((codes[0], True), (codes[0], False), (codes[1], True)):
        browser = Client()
        browser.post("/admin/login/", {"username": "agent", "password": PASSWORD})
        browser.post("/admin/login/code/", {"code": code})
        assert ("_auth_user_id" in browser.session) is opens


def test_wrong_codes_are_counted_for_who_knows_the_password(cast: Cast, settings: object) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/5m/key"}  # type: ignore[attr-defined]
    give_app(cast.agent)
    browser = Client()
    browser.post("/admin/login/", {"username": "agent", "password": PASSWORD})
    for _ in range(3):
        browser.post("/admin/login/code/", {"code": "111111"})
    late = browser.post("/admin/login/code/", {"code": code_now(cast.agent)})
    assert "Too many failed login attempts" in late.content.decode()
    assert "_auth_user_id" not in browser.session


def test_the_customers_door_does_not_open_the_desk(cast: Cast, door: Door) -> None:
    """Somebody who is staff and a customer: chat yes, desk no, with and without a factor."""
    Customer.objects.filter(pk=cast.other.pk).update(user=cast.agent)
    for has_app in (False, True):
        if has_app:
            give_app(cast.agent)
        browser = Client()
        browser.post("/account/login/", {"email": cast.other.email, "password": PASSWORD})
        assert browser.session["_auth_user_id"] == str(cast.agent.pk)
        for path in (*DESK, "/admin/account/"):
            assert stops_at(browser, path) == "/admin/login/"
        assert browser.get("/").status_code == 200
    browser.post("/admin/login/", {"username": "agent", "password": PASSWORD})
    browser.post("/admin/login/code/", {"code": code_now(cast.agent)})
    assert stops_at(browser, "/admin/inbox/") == ""


def test_articles_for_others_are_not_read_by_the_customers_door(cast: Cast, door: Door) -> None:
    """A member of staff's password alone opens what they may read as the customer they are; with the code, all."""
    for audience in ("signed_in", "enterprise"):
        slug = f"for-{audience.replace('_', '-')}"
        article_save(
            slug=slug, title=slug, category="account", body="Kayaks.", audience=audience, status="published", actor=None
        )
    Customer.objects.filter(pk=cast.other.pk).update(user=cast.agent, plan="plus")
    give_app(cast.agent)
    browser = Client()
    browser.post("/account/login/", {"email": cast.other.email, "password": PASSWORD})
    pages = ("/help/for-signed-in/", "/help/for-enterprise/")
    assert [browser.get(page).status_code for page in pages] == [200, 404]
    assert [door(cast.agent).get(page).status_code for page in pages] == [200, 200]


def test_customers_do_not_come_in_at_the_staffs_door(cast: Cast) -> None:
    answer = Client().post("/admin/login/", {"username": cast.owner.email, "password": PASSWORD})
    assert "correct username and password" in answer.content.decode()


def test_optional_asks_who_has_one_and_lets_the_others_in(cast: Cast, door: Door, settings: object) -> None:
    settings.STAFF_MFA = "optional"  # type: ignore[attr-defined]
    assert stops_at(door(cast.agent), "/admin/inbox/") == ""
    give_app(cast.lead)
    browser = Client()
    browser.force_login(cast.lead)  # a session without the factor, wherever it came from
    assert stops_at(browser, "/admin/inbox/") == "/admin/login/"


def test_the_demo_only_mentions_it(cast: Cast, door: Door, settings: object) -> None:
    settings.DEMO = True  # type: ignore[attr-defined]
    assert "In production a second factor" in Client().get("/admin/login/").content.decode()
    assert stops_at(door(cast.agent), "/admin/inbox/") == ""


def test_the_last_factor_stays_where_one_is_required(cast: Cast, door: Door) -> None:
    give_app(cast.agent)
    browser = door(cast.agent)
    app = cast.agent.authenticator_set.get(type="totp")  # type: ignore[attr-defined]
    answer = browser.post(f"/admin/account/factors/{app.pk}/remove/", follow=True)
    assert "add another first" in answer.content.decode()
    assert User.objects.filter(pk=cast.agent.pk, authenticator=app).exists()


def test_secrets_are_not_readable_in_the_database(cast: Cast) -> None:
    give_app(cast.agent)
    rows = [str(row.data) for row in cast.agent.authenticator_set.all()]  # type: ignore[attr-defined]
    assert not any(SECRET_PART in row for row in rows)


SECRET_PART = "JBSWY3DPEHPK"
