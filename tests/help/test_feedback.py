"""Was this article helpful? One answer of a browser for an article, of nobody's, read by staff, gone after its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.privacy.retention import purge
from support_agent.runtime.ratelimit import RATES
from tests.cast import Cast
from tickets.models import Article, ArticleFeedback

URL = "/help/tents/feedback/"


@pytest.fixture
def tents(write: Callable[..., Article]) -> Article:
    return write("tents", "Pitch a tent")


def test_a_no_asks_what_was_missing(client: Client, tents: Article) -> None:
    assert "Was this article helpful?" in client.get("/help/tents/").content.decode()
    answer = client.post(URL, {"helpful": "no"})
    assert (answer.status_code, answer["Location"]) == (302, "/help/tents/#feedback")
    page = client.get("/help/tents/").content.decode()
    assert 'value="no" aria-pressed="true"' in page
    assert "What was missing or unclear?" in page
    client.post(URL, {"helpful": "no", "comment": "Where do the  poles go?"})
    row = ArticleFeedback.objects.get()
    assert (row.article, row.helpful, row.comment) == (tents, False, "Where do the poles go?")
    assert "We read what you wrote" in client.get("/help/tents/").content.decode()


def test_an_answer_can_be_changed_and_stays_one(client: Client, tents: Article) -> None:
    client.post(URL, {"helpful": "no", "comment": "Too short"})
    client.post(URL, {"helpful": "no"})
    assert ArticleFeedback.objects.get().comment == "Too short", "the button alone takes no words back"
    client.post(URL, {"helpful": "yes"})
    row = ArticleFeedback.objects.get()
    assert (row.helpful, row.comment) == (True, "")
    assert "Good to know" in client.get("/help/tents/").content.decode()


def test_each_browser_and_article_has_its_own(client: Client, tents: Article, write: Callable[..., Article]) -> None:
    write("stoves", "Light a stove")
    client.post(URL, {"helpful": "yes"})
    client.post("/help/stoves/feedback/", {"helpful": "no"})
    Client().post(URL, {"helpful": "no"})
    assert sorted(ArticleFeedback.objects.values_list("article__slug", "helpful")) == [
        ("stoves", False),
        ("tents", False),
        ("tents", True),
    ]
    assert 'aria-pressed="true"' not in Client().get("/help/tents/").content.decode()


def test_a_script_gets_the_box_alone(client: Client, tents: Article) -> None:
    answer = client.post(URL, {"helpful": "yes"}, headers={"X-Fragment": "1"})
    assert answer.status_code == 200
    assert answer.content.decode().strip().startswith('<section class="help-feedback"')


def test_what_names_a_person_is_hidden(client: Client, tents: Article) -> None:
    words = "I am jane@example.com, card 4242 4242 4242 4242\x00" + " x" * 600
    client.post(URL, {"helpful": "no", "comment": words})
    comment = ArticleFeedback.objects.get().comment
    assert comment.startswith("I am [email], card [card]")
    assert len(comment) <= 500


@pytest.mark.parametrize("data", [{}, {"helpful": "maybe"}])
def test_anything_else_is_no_answer(client: Client, tents: Article, data: dict[str, str]) -> None:
    assert client.post(URL, data).status_code == 400
    assert client.get(URL).status_code == 405
    assert not ArticleFeedback.objects.exists()


def test_drafts_take_none(client: Client, write: Callable[..., Article]) -> None:
    write("kayaks", "Paddle", status="draft")
    assert client.post("/help/kayaks/feedback/", {"helpful": "yes"}).status_code == 404


def test_another_site_cannot_answer(tents: Article) -> None:
    assert Client(enforce_csrf_checks=True).post(URL, {"helpful": "no"}).status_code == 403
    assert not ArticleFeedback.objects.exists()


def test_an_address_answers_only_so_often(client: Client, tents: Article, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "article_feedback", 0)  # whatever the scale, one a minute is left
    answers = [client.post(URL, {"helpful": "yes"}, REMOTE_ADDR="192.0.2.220").status_code for _ in range(2)]
    assert answers == [302, 429]


def test_staff_see_shares_and_words(client: Client, cast: Cast, tents: Article, write: Callable[..., Article]) -> None:
    write("quiet", "Nobody said anything")
    for helpful, comment in ((True, ""), (False, "Where are the pegs?"), (False, "")):
        ArticleFeedback.objects.create(article=tents, helpful=helpful, comment=comment)
    client.force_login(cast.lead)
    everything = client.get("/admin/tickets/article/").content.decode()
    assert "33% of 3" in everything
    unhelped = client.get("/admin/tickets/article/?readers=unhelped").content.decode()
    assert "Pitch a tent" in unhelped
    assert "Nobody said anything" not in unhelped
    assert "Nobody said anything" in client.get("/admin/tickets/article/?readers=silent").content.decode()
    assert "Where are the pegs?" in client.get(f"/admin/tickets/article/{tents.pk}/change/").content.decode()
    assert "Where are the pegs?" in client.get("/admin/tickets/articlefeedback/?comment__isempty=0").content.decode()
    report = client.get("/admin/report/").content.decode()
    assert "Articles that did not help" in report
    assert "Where are the pegs?" in report
    assert "2 of 3" in report


def test_it_goes_after_its_time(tents: Article) -> None:
    old = ArticleFeedback.objects.create(article=tents, helpful=False, comment="Old")
    ArticleFeedback.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=366))
    ArticleFeedback.objects.create(article=tents, helpful=True)
    assert purge()["article_feedback"] == 1
    assert ArticleFeedback.objects.get().helpful
