"""Whose an article is decides before anything is ranked: by words, by meaning, by name, and with five to show."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.search.conftest import Write
from tickets.audience import EVERYONE, STAFF, Readers, readers_of
from tickets.models import Article, Customer, Plan
from tickets.search import search
from tickets.services.articles import articles_embed

A = Article.Audience


def of(plan: str, status: str = Customer.Status.ACTIVE) -> Readers:
    return readers_of(Customer(plan=plan, status=status))


@pytest.mark.parametrize(
    ("readers", "theirs"),
    [
        (EVERYONE, {A.EVERYONE}),
        (readers_of(None), {A.EVERYONE}),
        (of(Plan.FREE), {A.EVERYONE, A.SIGNED_IN}),
        (of(Plan.PLUS), {A.EVERYONE, A.SIGNED_IN, A.PAYING, A.PLUS}),
        (of(Plan.ENTERPRISE), {A.EVERYONE, A.SIGNED_IN, A.PAYING, A.ENTERPRISE}),
        (of(Plan.ENTERPRISE, Customer.Status.CLOSED), {A.EVERYONE}),
        (STAFF, set(A)),
    ],
)
def test_each_finds_their_own(write: Write, readers: Readers, theirs: set[str]) -> None:
    for audience in A:
        write(f"Kayaks {audience}", "Kayaks are stored upside down.", slug=f"kayak-{audience}", audience=audience)
    assert {hit.audience for hit in search("kayaks", readers=readers)} == theirs


def test_others_articles_take_no_place_among_the_five(write: Write) -> None:
    for n in range(150):
        write(f"Hammock secret {n}", "hammock hammock hammock", audience=A.ENTERPRISE, keywords=["hammock"])
    for n in range(6):
        write(f"Knots {n}", "Which knots hold a hammock between two trees, and how to tie them without hurting those.")
    hits = search("hammock", readers=EVERYONE)
    assert [hit.audience for hit in hits] == [A.EVERYONE] * 5


def test_a_code_or_the_whole_name_opens_nothing(write: Write) -> None:
    write("Members lounge", "The door code is on your card.", keywords=["LNG-77"], audience=A.PLUS)
    assert search("LNG-77", readers=of(Plan.PLUS))[0].exact
    for asked in ("LNG-77", "Members lounge"):
        assert search(asked, readers=of(Plan.FREE)) == []


def test_nor_does_the_meaning(write: Write, settings: Settings) -> None:
    settings.EMBEDDER = "tickets.search.minilm.MiniLM"
    body = "Mondays to Fridays somebody picks up the phone for you within one minute."
    write("Priority telephone line", body, audience=A.ENTERPRISE, embed=False)
    list(articles_embed())
    asked = "is there a number I can call and talk to a human quickly"
    assert search(asked, readers=of(Plan.ENTERPRISE))[0].title == "Priority telephone line"
    assert search(asked, readers=EVERYONE) == []


def test_another_audience_counts_at_the_next_search(write: Write) -> None:
    article = write("Kayaks", "Kayaks are stored upside down.")
    assert search("kayaks", readers=EVERYONE)
    write(article.title, article.body, audience=A.PLUS)
    assert search("kayaks", readers=EVERYONE) == []
    write(article.title, article.body, summary="A save that says nothing of it keeps it.")
    assert search("kayaks", readers=EVERYONE) == []
