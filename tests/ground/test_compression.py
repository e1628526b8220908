"""Texts travel compressed, but nothing that has both a visitor's secrets and words chosen by somebody else."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from tests.cast import Cast
from tickets.services.articles import article_save


@pytest.fixture
def browser_client(db: None) -> Client:
    return Client(headers={"accept-encoding": "gzip, br"})


def is_compressed(client: Client, path: str) -> bool:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.headers.get("Content-Encoding") == "gzip"


def test_pages_are_compressed(browser_client: Client) -> None:
    article_save(slug="tents", title="Tents", category="product", body="Pitch it. " * 20, status="published")
    for path in ("/", "/?ask=Where+is+it", "/help/", "/help/?q=return", "/privacy/", "/sitemap.xml"):
        assert is_compressed(browser_client, path), path
    answer = browser_client.get("/privacy/")
    assert "Accept-Encoding" in answer["Vary"]
    assert "Privacy in this chat" in gzip.decompress(answer.content).decode()


def test_who_does_not_ask_gets_it_plain(client: Client, db: None) -> None:
    assert not is_compressed(client, "/privacy/")


def test_a_visitor_with_a_session_gets_no_chosen_words_compressed(browser_client: Client, cast: Cast) -> None:
    browser_client.force_login(cast.owner_user)
    assert is_compressed(browser_client, "/")
    for path in ("/?ask=token%3Da", "/help/?q=token%3Da", "/account/login/?next=/a"):
        assert browser_client.get(path).headers.get("Content-Encoding") != "gzip", path
    refused = browser_client.post("/message/", {"email": "nonsense", "text": "token=a"})
    assert refused.headers.get("Content-Encoding") != "gzip"


def test_the_desk_is_never_compressed(browser_client: Client, cast: Cast) -> None:
    browser_client.force_login(cast.admin)
    for path in ("/admin/", "/admin/inbox/", "/admin/tickets/customer/"):
        assert not is_compressed(browser_client, path), path


def test_a_program_with_a_token_gets_no_chosen_words_compressed(browser_client: Client) -> None:
    answer = browser_client.get("/api/v1/openapi.json?x=1", headers={"authorization": "Bearer x"})
    assert answer.headers.get("Content-Encoding") != "gzip"
