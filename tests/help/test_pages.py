"""The help centre's pages: shelves, search, articles; drafts are nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.help.conftest import LONG
from tickets.models import Article


@pytest.fixture
def articles(write: Callable[..., Article]) -> None:
    write("tents", "Pitch a tent", f"{LONG}\n\n## Guy ropes\n\nTighten the ropes.")
    write("stoves", "Light a stove", "Turn the knob. <b>Careful</b>.\n\n[Away](https://evil.example/)")
    write("cards", "Pay with a gift card", category="billing")
    write("kayaks", "Paddle a kayak", status="draft")
    for number in range(7):
        write(f"map-{number}", f"Read map {number}", category="technical")


def test_the_home_page_shows_every_shelf(client: Client, articles: None) -> None:
    page = client.get("/help/").content.decode()
    for text in ("How can we help?", "Pitch a tent", "Pay with a gift card", "All 7 articles"):
        assert text in page
    assert "Read map 6" not in page
    assert "kayak" not in page


def test_one_shelf_shows_all_with_summaries(client: Client, articles: None) -> None:
    page = client.get("/help/category/technical/").content.decode()
    assert "<h1>Technical</h1>" in page
    assert "7 articles" in page
    assert "Read map 6" in page
    assert "All about map-6." in page
    assert "Pitch a tent" not in page


def test_a_category_without_articles_is_a_page_and_an_unknown_one_is_none(client: Client, articles: None) -> None:
    page = client.get("/help/category/account/")
    assert page.status_code == 200
    assert "No articles here yet" in page.content.decode()
    assert client.get("/help/category/nonsense/").status_code == 404


def test_the_old_address_of_a_category_leads_to_the_new_one(client: Client, articles: None) -> None:
    old = client.get("/help/?category=technical")
    assert (old.status_code, old["Location"]) == (301, "/help/category/technical/")
    assert "How can we help?" in client.get("/help/?category=nonsense").content.decode()


def test_a_search_marks_words_and_leads_to_the_section(client: Client, articles: None) -> None:
    page = client.get("/help/", {"q": "ropes tent"}).content.decode()
    assert '<a href="/help/tents/#guy-ropes">Pitch a tent</a>' in page
    assert "<mark>ropes</mark>" in page


def test_a_search_keeps_to_its_category(client: Client, articles: None) -> None:
    page = client.get("/help/", {"q": "gift card", "category": "technical"}).content.decode()
    assert "We have no article about “gift card”" in page
    assert '<a href="/help/?q=gift%20card">all categories</a>' in page
    assert 'name="category" value="technical"' in page


def test_nothing_found_says_what_to_do(client: Client, articles: None) -> None:
    page = client.get("/help/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page
    assert 'href="/?ask=%3Cscript%3Ealert%281%29%3C%2Fscript%3E"' in page


def test_drafts_are_not_found(client: Client, articles: None) -> None:
    assert client.get("/help/kayaks/").status_code == 404
    assert client.get("/help/no-such-article/").status_code == 404
    assert "Paddle" not in client.get("/help/", {"q": "paddle a kayak"}).content.decode()


def test_an_article_is_a_page(client: Client, articles: None) -> None:
    page = client.get("/help/tents/").content.decode()
    assert "<title>Pitch a tent · Help centre" in page
    assert 'content="All about tents."' in page
    assert 'href="/?ask=I+have+a+question+about+%E2%80%9CPitch+a+tent%E2%80%9D%3A+"' in page
    assert page.count('href="#step-four"') == 3  # folded on a phone, in the margin on a wide screen, beside the heading
    assert page.count('id="step-four"') == 1


def test_a_short_article_has_no_contents(client: Client, articles: None) -> None:
    page = client.get("/help/stoves/").content.decode()
    assert "On this page" not in page
    assert "&lt;b&gt;Careful" in page
    assert "evil.example" not in page


def test_related_articles_lead_on_but_never_to_the_page_itself(client: Client, write: Callable[..., Article]) -> None:
    write("return", "Return an item", "Send it back within 30 days.")
    write("fee", "The return fee", "An item that you return costs 4.90.")
    page = client.get("/help/return/").content.decode()
    related = page[page.index("Related articles") :]
    assert 'href="/help/fee/"' in related
    assert 'href="/help/return/"' not in related


def test_equal_headings_get_ids_of_their_own(client: Client, write: Callable[..., Article]) -> None:
    write("twins", "Twins", "## Cost\n\na\n\n## Cost\n\nb\n\n## ???\n\nc")
    page = client.get("/help/twins/").content.decode()
    assert re.findall(r'<h2 id="([^"]+)">(?:Cost|\?\?\?)', page) == ["cost", "cost-2", "section"]


def test_pages_are_only_read(client: Client, articles: None) -> None:
    assert client.post("/help/").status_code == 405
    assert client.post("/help/tents/").status_code == 405


def test_nothing_inline_and_a_strict_policy(client: Client, articles: None) -> None:
    for path in ("/help/", "/help/?q=tent", "/help/tents/"):
        response = client.get(path)
        page = response.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "unsafe-inline" not in response.headers["Content-Security-Policy"]


def test_few_queries(client: Client, articles: None, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    client.get("/help/tents/")
    with django_assert_max_num_queries(1):
        client.get("/help/")
    with django_assert_max_num_queries(2):
        client.get("/help/category/product/")
    with django_assert_max_num_queries(6):
        client.get("/help/tents/")


def test_the_question_about_an_article_stands_in_the_composer(client: Client, articles: None) -> None:
    page = client.get("/help/tents/").content.decode()
    link = re.search(r'href="(/\?ask=[^"]+)"', page)
    assert link is not None
    chat = client.get(link[1].replace("&amp;", "&")).content.decode()
    assert "data-asked>I have a question about “Pitch a tent”: </textarea>" in chat
    assert "data-asked" not in client.get("/").content.decode()


def test_what_a_link_asks_is_text(client: Client, db: None) -> None:
    chat = client.get("/", {"ask": "</textarea><script>alert(1)</script>" + "x" * 999}).content.decode()
    assert "<script>alert" not in chat
    assert "x" * 400 not in chat


def test_a_heading_is_told_as_it_reads(client: Client, write: Callable[..., Article]) -> None:
    write("signs", "Signs", "\n\n".join(f"## Rain & wind {n}\n\nx" for n in "abcd"))
    page = client.get("/help/signs/").content.decode()
    assert "&amp;amp;" not in page
    assert 'aria-label="Link to this section: Rain &amp; wind a"' in page


def test_a_page_that_is_not_there_offers_the_search_and_the_chat(client: Client, db: None) -> None:
    page = client.get("/no-such-page/").content.decode()
    assert 'role="search"' in page
    assert '<a class="button primary" href="/">' in page
