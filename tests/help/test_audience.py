"""Pages of articles that are not everybody's: as good as missing for others, marked for staff, in nobody's cache."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import Cast, make_cast
from tickets.models import Article, ArticleFeedback
from tickets.services.conversations import conversation_create


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def articles(cast: Cast, write: Callable[..., Article]) -> None:
    write("kayaks", "Kayaks for all")
    write("kayak-club", "Kayak club", audience="plus")
    write("kayak-account", "Kayak deposits", audience="signed_in")


PAGES = ("/help/", "/help/?q=kayak", "/help/category/product/", "/help/suggest/?q=kayak", "/help/kayaks/")


@pytest.mark.parametrize("page", PAGES)
def test_lists_show_each_their_own(client: Client, cast: Cast, articles: None, page: str) -> None:
    for user, sees in ((None, set()), (cast.owner_user, {"account"}), (cast.other_user, {"account", "club"})):
        if user is not None:
            client.force_login(user)
        html = client.get(page).content.decode()
        assert {name for name in ("account", "club") if f"/help/kayak-{name}/" in html} == sees
        assert "help-audience" not in html


@pytest.mark.parametrize("path", ["", "feedback/"])
def test_a_page_for_others_is_as_good_as_missing(client: Client, cast: Cast, articles: None, path: str) -> None:
    def look(slug: str) -> tuple[int, str]:
        data = {"helpful": "yes"} if path else {}
        response = (client.post if path else client.get)(f"/help/{slug}/{path}", data)
        return response.status_code, response.content.decode().replace(slug, "…")

    def nonceless(page: str) -> str:
        return re.sub(r'(nonce|value)="[^"]*"', "", page)

    there, missing = look("kayak-club"), look("never-was")
    assert there[0] == missing[0] == 404
    assert nonceless(there[1]) == nonceless(missing[1])
    assert not ArticleFeedback.objects.exists()
    client.force_login(cast.other_user)
    assert look("kayak-club")[0] in (200, 302)


def test_staff_see_all_and_whose_it_is(client: Client, cast: Cast, articles: None) -> None:
    client.force_login(cast.agent)
    for page in ("/help/", "/help/?q=kayak", "/help/category/product/", "/help/kayak-club/"):
        html = client.get(page).content.decode()
        assert "Plus customers</span>" in html, page
    assert "Plus customers" in client.get("/help/suggest/?q=kayak").content.decode()


@pytest.mark.parametrize("page", [*PAGES, "/help/kayak-club/"])
def test_no_cache_gives_it_to_another(client: Client, cast: Cast, articles: None, page: str) -> None:
    assert "Cookie" in client.get(page)["Vary"]
    client.force_login(cast.other_user)
    response = client.get(page)
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


def test_crawlers_hear_of_everyones_only_whoever_asks(client: Client, cast: Cast, articles: None) -> None:
    client.force_login(cast.admin)
    told = client.get("/sitemap.xml").content.decode()
    assert "/help/kayaks/" in told
    assert "/help/kayak-" not in told


def test_what_was_verified_in_this_browser_opens_what_the_answers_link(
    client: Client, cast: Cast, articles: None
) -> None:
    verified, _ = conversation_create(channel="chat", customer=cast.other, identity="code")
    session = client.session
    session["conversations"] = [str(verified.pk)]
    session.save()
    assert client.get("/help/kayak-club/").status_code == 200
    client.force_login(cast.owner_user)  # whoever is signed in counts alone
    assert client.get("/help/kayak-club/").status_code == 404


def test_the_plans_end_ends_it(client: Client, cast: Cast, articles: None) -> None:
    client.force_login(cast.other_user)
    assert client.get("/help/kayak-club/").status_code == 200
    type(cast.other).objects.filter(pk=cast.other.pk).update(plan="free")
    assert client.get("/help/kayak-club/").status_code == 404


def test_the_admin_sets_it(client: Client, cast: Cast, articles: None) -> None:
    client.force_login(cast.admin)
    listed = client.get("/admin/tickets/article/?audience__exact=plus").content.decode()
    assert "Kayak club" in listed
    assert "Kayaks for all" not in listed
    assert ">Plus customers</span>" in listed
