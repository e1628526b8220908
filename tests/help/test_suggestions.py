"""Suggestions while a search is typed: half words find titles, and it costs an address something to ask."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from support_agent.runtime.ratelimit import RATES
from tickets.models import Article


@pytest.fixture
def articles(write: Callable[..., Article]) -> None:
    write(
        "return",
        "Return an item",
        "Send it back within 30 days.\n\n## Costs\n\nA parcel back is 4.90.",
        category="product",
    )
    write("returned", "When is my returned parcel refunded", "Within three days.", category="billing")
    write("tents", "Pitch a tent", "Tighten the ropes.")
    write("secret", "Return of the draft", "Hidden.", status="draft")


def asked(client: Client, query: str, **more: str) -> list[tuple[str, str]]:
    """(address, text) of each option."""
    page = client.get("/help/suggest/", {"q": query, **more}).content.decode()
    found = re.findall(r'<a role="option"[^>]*href="([^"]+)">(.*?)</a>', page, re.DOTALL)
    return [(url, re.sub(r"<[^>]+>", "", text).strip()) for url, text in found]


def test_half_a_word_finds_titles_but_no_drafts(client: Client, articles: None) -> None:
    urls = [url for url, _ in asked(client, "retu")]
    assert urls == ["/help/return/", "/help/returned/", "/help/?q=retu"]


def test_every_word_narrows(client: Client, articles: None) -> None:
    assert asked(client, "return it")[0][0].startswith("/help/return/")
    assert asked(client, "pit te")[0][0] == "/help/tents/"


def test_a_typo_still_finds(client: Client, articles: None) -> None:
    assert "/help/return/" in [url.partition("#")[0] for url, _ in asked(client, "retrun")]


def test_words_of_the_text_find_their_section(client: Client, articles: None) -> None:
    assert ("/help/return/#costs", "Return an item Costs") in asked(client, "parcel 4.90")


def test_a_category_is_kept(client: Client, articles: None) -> None:
    urls = [url for url, _ in asked(client, "retu", category="billing")]
    assert urls == ["/help/returned/", "/help/?q=retu&amp;category=billing"]


def test_typed_beginnings_are_marked_and_everything_is_escaped(client: Client, write: Callable[..., Article]) -> None:
    write("odd", "Tents <b>bold</b> & tarps", "x")
    page = client.get("/help/suggest/", {"q": "ten b"}).content.decode()
    assert "<mark>Ten</mark>ts &lt;<mark>b</mark>&gt;<mark>b</mark>old&lt;/<mark>b</mark>&gt; &amp; tarps" in page


def test_nothing_found_leads_to_the_chat(client: Client, articles: None) -> None:
    assert asked(client, "zzqx<b>") == [
        ("/?ask=zzqx%3Cb%3E", "We have no article about “zzqx&lt;b&gt;” yet. Ask the assistant")
    ]
    assert asked(client, "  ") == []


@pytest.mark.parametrize("query", ["%", "\\", "a.*(", "_", "\x00", "x" * 5000, "ö", "שלום"])
def test_odd_letters_are_letters(client: Client, articles: None, query: str) -> None:
    assert client.get("/help/suggest/", {"q": query}).status_code == 200


def test_the_number_is_told(client: Client, articles: None) -> None:
    assert 'data-said="2 suggestions"' in client.get("/help/suggest/?q=retu").content.decode()
    assert 'data-said="No suggestions"' in client.get("/help/suggest/?q=zzqx").content.decode()


def test_an_address_can_ask_only_so_often(client: Client, articles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "suggest", 0)  # whatever the scale, one a minute is left
    first = client.get("/help/suggest/?q=retu", REMOTE_ADDR="192.0.2.210")
    second = client.get("/help/suggest/?q=retu", REMOTE_ADDR="192.0.2.210")
    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second["Retry-After"]) > 0
    assert client.get("/help/?q=return", REMOTE_ADDR="192.0.2.210").status_code == 200, "searching is counted apart"
