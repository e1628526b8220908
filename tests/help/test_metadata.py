"""What search engines and previews read: addresses of the configured origin, data that nothing can break out of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from pytest_django import Settings

from tickets.models import Article

ORIGIN = "https://help.alderandpine.example"
NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


@pytest.fixture(autouse=True)
def origin(settings: Settings) -> None:
    settings.SITE_ORIGIN = ORIGIN


@pytest.fixture
def articles(write: Callable[..., Article]) -> None:
    write("tents", "Pitch a </script><script>alert(1)</script> & tent", summary="Poles & pegs.")
    write("cards", "Pay with a gift card", category="billing")
    write("kayaks", "Paddle a kayak", status="draft")


def head_of(client: Client, path: str) -> tuple[str, dict[str, Any]]:
    """(the head, the things of its data block by type)."""
    head = client.get(path, headers={"host": "localhost"}).content.decode().partition("</head>")[0]
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', head, re.DOTALL)
    graph = json.loads(block[1])["@graph"] if block else []
    return head, {thing["@type"]: thing for thing in graph}


def canonical(head: str) -> str:
    found = re.findall(r'<link rel="canonical" href="([^"]+)">', head)
    assert len(found) == 1
    return str(found[0])


def test_an_article_tells_what_it_is(client: Client, articles: None) -> None:
    head, things = head_of(client, "/help/tents/")
    assert canonical(head) == f"{ORIGIN}/help/tents/"
    assert '<meta property="og:description" content="Poles &amp; pegs.">' in head
    assert '<meta property="og:type" content="article">' in head
    assert "<script>alert" not in head
    assert things["Article"]["headline"] == "Pitch a </script><script>alert(1)</script> & tent"
    assert things["Article"]["mainEntityOfPage"] == f"{ORIGIN}/help/tents/"
    steps = [step["item"] for step in things["BreadcrumbList"]["itemListElement"]]
    assert steps == [f"{ORIGIN}/help/", f"{ORIGIN}/help/category/product/", f"{ORIGIN}/help/tents/"]


def test_home_and_categories_tell_theirs(client: Client, articles: None) -> None:
    head, things = head_of(client, "/help/")
    assert canonical(head) == f"{ORIGIN}/help/"
    target = things["WebSite"]["potentialAction"]["target"]["urlTemplate"]
    assert target == f"{ORIGIN}/help/?q={{search_term_string}}"
    head, things = head_of(client, "/help/category/billing/")
    assert canonical(head) == f"{ORIGIN}/help/category/billing/"
    assert things["CollectionPage"]["mainEntity"]["numberOfItems"] == 1
    assert canonical(head_of(client, "/")[0]) == f"{ORIGIN}/"


def test_results_are_no_search_results(client: Client, articles: None) -> None:
    head, things = head_of(client, "/help/?q=tent")
    assert '<meta name="robots" content="noindex">' in head
    assert not things
    assert client.get("/help/suggest/?q=tent")["X-Robots-Tag"] == "noindex"


def test_the_sitemap_has_what_is_published_by_our_own_name(client: Client, articles: None) -> None:
    answer = client.get("/sitemap.xml", headers={"host": "localhost"})
    assert answer["Content-Type"] == "application/xml"
    found = {
        str(url.findtext("s:loc", namespaces=NAMES)): url.findtext("s:lastmod", namespaces=NAMES)
        for url in ElementTree.fromstring(answer.content)
    }
    assert set(found) == {
        f"{ORIGIN}/help/{path}" for path in ("", "category/product/", "category/billing/", "tents/", "cards/")
    }
    today = Article.objects.get(slug="tents").updated_at.date().isoformat()
    assert {str(at)[:10] for at in found.values()} == {today}


def test_an_empty_help_centre_has_a_sitemap_too(client: Client, db: None) -> None:
    assert f"{ORIGIN}/help/" in client.get("/sitemap.xml").content.decode()


def test_robots_may_read_the_help_centre_and_nothing_else(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    rules = re.findall(r"^(Allow|Disallow): (\S+)$", answer.content.decode(), re.MULTILINE)

    def may(path: str) -> bool:
        fitting = [(len(rule), verb == "Allow") for verb, rule in rules if path.startswith(rule)]
        return max(fitting, default=(0, True))[1]

    for path in ("/help/", "/help/tents/", "/help/category/billing/", "/static/css/help.css", "/sitemap.xml"):
        assert may(path), path
    for path in ("/", "/chat/start/", "/api/v1/docs", "/admin/", "/account/login/", "/help/?q=x", "/help/suggest/?q=x"):
        assert not may(path), path
    assert f"Sitemap: {ORIGIN}/sitemap.xml" in answer.content.decode()
