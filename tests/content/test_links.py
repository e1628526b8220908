"""Where links in written text may lead, and what they may carry."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Template
from django.test import Client

from tests.cast import Cast
from tests.content.corpus import families
from tickets.events import message_payload
from tickets.markdown import REL, link_allowed, render, with_allowed_links
from tickets.models import Message

HREF = re.compile(r'<a href="([^"]*)"')
OURS = [
    "/help/", "/help/?q=a#b", "https://alderandpine.example/x?y=1", "http://127.0.0.1:8000/",
    "HTTPS://ALDERANDPINE.example", "mailto:help@alderandpine.example",
]  # fmt: skip
FOREIGN = [
    "", "x", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
    "\t//evil.example", " https://alderandpine.example", "https://evil.example", "/\u2028/evil.example",
    "https://evil.example\\@alderandpine.example", "https://alderandpine.example@evil.example",
    "https://x@alderandpine.example", "https://x:y@alderandpine.example", "https://alderandpine.example.evil.example",
    "https://alderandpine.example:x", "https://[", "https:alderandpine.example", "ftp://alderandpine.example",
    "javascript:xss()", "java\tscript:xss()", "\x01javascript:xss()", "data:text/html,x", "mailto:x@evil.example",
    "mailto:help@alderandpine.example\r\nbcc:x@evil.example", None, 7,
]  # fmt: skip


@pytest.mark.parametrize("url", OURS)
def test_our_own_addresses_are_links(url: str) -> None:
    assert link_allowed(url)


@pytest.mark.parametrize("url", FOREIGN, ids=ascii)
def test_others_are_none(url: object) -> None:
    assert not link_allowed(url)


def test_markdown_keeps_ours_alone_and_tells_them_nothing() -> None:
    kept = render("[a](/help/) [b](https://alderandpine.example/x)")
    assert HREF.findall(kept) == ["/help/", "https://alderandpine.example/x"]
    assert kept.count(f'rel="{REL}"') == 2
    for family in families().values():
        for payload in family:
            html = render(payload.replace("\x00", ""))
            assert all(link_allowed(url) for url in HREF.findall(html)), html
            assert "<img" not in html


def test_sources_that_lead_elsewhere_are_not_told() -> None:
    sources: list[dict[str, object]] = [
        {"n": 1, "title": "a", "url": "/help/"},
        {"n": 2, "title": "b", "url": "javascript:xss()"},
        {"n": 3},
    ]
    assert message_payload(Message(text="x", sources=sources))["sources"] == with_allowed_links(sources) == sources[:1]


def test_plain_text_links_to_ourselves_alone() -> None:
    text = 'See http://127.0.0.1:8000/chat/back/?token=a&b=1, https://evil.example/?x and <b>"bold"</b>.'
    html = Template("{% load desk %}{{ text|own_links }}").render(Context({"text": text}))
    assert HREF.findall(html) == ["http://127.0.0.1:8000/chat/back/?token=a&amp;b=1"]
    assert "https://evil.example/?x and &lt;b&gt;" in html


@pytest.mark.django_db
def test_no_page_tells_others_where_one_came_from(client: Client, cast: Cast) -> None:
    for page in ("/", "/help/", "/no/such/page", "/admin/login/", "/api/v1/docs"):
        assert client.get(page).headers["Referrer-Policy"] == "same-origin"
