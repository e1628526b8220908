"""The demo's help centre, and the quality of search in it on the half of the questions that chose no figure."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tickets.audience import EVERYONE
from tickets.demo.articles import FOLDER, load_articles, read_article
from tickets.models import Article, ArticleSection
from tickets.search import benchmark, search

LABELS = benchmark.read_labels(Path(__file__).parents[1] / "data" / "search_labels.yaml")


@pytest.fixture
def demo(db: None, settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    load_articles()


def test_every_file_is_an_article_with_vectors_of_its_own(demo: None, settings: Settings) -> None:
    assert Article.objects.count() == len(list(FOLDER.glob("*.md"))) >= 60
    assert set(Article.objects.values_list("category", flat=True)) == set(Article.Category.values)
    assert not ArticleSection.objects.filter(embedding=None, language="en").exists()
    assert not ArticleSection.objects.exclude(language="en").exclude(embedding=None).exists()  # the model reads English
    assert not ArticleSection.objects.filter(article__status=Article.Status.DRAFT).exists()


def test_loading_again_changes_nothing(demo: None) -> None:
    before = list(ArticleSection.objects.values_list("id", "text").order_by("id"))
    load_articles()
    assert list(ArticleSection.objects.values_list("id", "text").order_by("id")) == before


def test_the_labels_name_published_articles() -> None:
    articles = {fields["slug"]: fields["status"] for fields in map(read_article, FOLDER.glob("*.md"))}
    assert len(LABELS.questions) >= 200
    assert {articles[slug] for _, slugs in LABELS.questions for slug in slugs} == {"published"}


def test_quality_on_the_held_out_half(demo: None) -> None:
    held_out = LABELS.half(1).half(0)  # every other one of them, for the sake of time
    fused = benchmark.quality(held_out, benchmark.finders()["fused"])
    assert fused["recall@1"] >= 0.62
    assert fused["recall@5"] >= 0.85
    assert fused["nothing_refused"] >= 0.8
    assert fused["unanswered"] <= 0.08


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("somebody stole it from the front door", "parcel-says-delivered"),
        ("wasnt home when the driver came", "missed-delivery"),
        ("moisture behind the glass of my watch", "trailmate-water"),
    ],
)
def test_other_words_for_the_same_thing(demo: None, question: str, slug: str) -> None:
    assert search(question, readers=EVERYONE)[0].slug == slug


def test_codes_of_the_shop(demo: None) -> None:
    assert search("R-204518", readers=EVERYONE)[0].slug == "return-an-item"
    assert search("E-17", readers=EVERYONE)[0].slug == "trailmate-error-codes"


def test_a_search_asks_the_database_four_times(demo: None, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    search("where is my parcel", readers=EVERYONE)
    with django_assert_max_num_queries(4):
        assert search("where is my parcel", readers=EVERYONE)
    with django_assert_max_num_queries(5):
        assert search("where is my parzel", readers=EVERYONE)
