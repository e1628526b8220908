"""`index_articles` and `bench_search`."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tickets.models import ArticleSection
from tickets.search import benchmark


def test_index_articles_makes_what_is_missing(shelf: None, settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    ArticleSection.objects.filter(article__slug="warranty").delete()
    out = StringIO()
    call_command("index_articles", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    assert (figures["articles"], figures["sections"], figures["vectors_made"]) == (12, 13, 13)
    out = StringIO()
    call_command("index_articles", stdout=out)
    assert "articles: 12, sections: 13, vectors made: 0" in out.getvalue()
    assert "semantic and lexical" in out.getvalue()


def test_a_wrong_number_of_articles_is_named() -> None:
    with pytest.raises(CommandError, match="'many' is not a number of articles"):
        call_command("bench_search", "--articles", "many")


def test_quality_counts_places() -> None:
    answers = {"a": ["x", "y"], "b": ["y", "x"], "c": [], "none": []}
    labelled = benchmark.Labelled([("a", ["x"]), ("b", ["x", "y"]), ("c", ["x"])], ["none", "a"])
    assert benchmark.quality(labelled, lambda question: answers[question]) == {
        "recall@1": 0.333,
        "recall@5": 0.667,
        "mrr": 0.5,
        "right@1": 0.667,
        "right@5": 0.667,
        "unanswered": 0.333,
        "nothing_refused": 0.5,
    }


def test_synthetic_articles_are_searchable(shelf: None, settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    call_command("index_articles", "--json", stdout=StringIO())
    benchmark.add_synthetic(20)
    figures = benchmark.speed(["where is my parcel", "return label"])
    assert (figures["articles"], figures["searches"]) == (32, 2)
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
