"""Search by meaning, with the real model: vectors come from a job, and stay as long as their text does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.search.conftest import Write
from tickets.audience import EVERYONE
from tickets.models import Article, ArticleSection
from tickets.search import search
from tickets.search.embedder import Vectors, get_embedder
from tickets.services.articles import articles_embed, articles_embed_later, embed_article


class Letters:
    """A tiny model: how often each letter occurs."""

    name = "letters"
    languages = frozenset({"en"})
    related = 0.0

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.array([[text.lower().count(chr(97 + at)) for at in range(26)] for text in texts], dtype=np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def model(shelf: None, settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    list(articles_embed())


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("my login does not work any more", "reset-your-password"),
        ("you took the money two times", "charged-twice"),
    ],
)
def test_other_words_for_the_same_thing(model: None, question: str, slug: str) -> None:
    assert search(question, readers=EVERYONE)[0].slug == slug


def test_meaning_keeps_to_the_category(model: None) -> None:
    assert "track-your-parcel" not in [
        hit.slug for hit in search("when will my package get here", category="billing", readers=EVERYONE)
    ]


def test_a_saved_article_gets_its_vectors_from_a_job(
    write: Write, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    sent: list[tuple[Callable[..., None], str]] = []
    monkeypatch.setattr("tickets.services.articles.enqueue", lambda job, *args, **_: sent.append((job, *args)))
    settings.EMBEDDER = "minilm"
    article = write("Tarps", "A tarp keeps rain away.")
    assert sent == [(embed_article, str(article.pk))]
    assert article.sections.get().embedding is None
    embed_article(str(article.pk))
    embed_article(str(article.pk))
    assert len(article.sections.get().embedding or b"") == 384 * 4


def test_the_sweep_repairs_a_lost_job(write: Write, model: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr("tickets.services.articles.enqueue", lambda job, *args, **_: sent.extend(args))
    assert articles_embed_later() == 0
    article = write("Tarps", "A tarp keeps rain away.", embed=False)
    assert articles_embed_later() == 1
    assert sent == [str(article.pk)]


def test_only_changed_sections_are_embedded_again(write: Write, model: None) -> None:
    def vectors() -> dict[str, object]:
        sections = ArticleSection.objects.filter(article__slug="return-an-item")
        return {section.heading: section.embedding for section in sections}

    before = vectors()
    body = Article.objects.get(slug="return-an-item").body.replace("by e-mail", "by post")
    write("Return an item", body, embed=False)
    assert vectors() == {"": before[""], "The label": None}


def test_vectors_of_another_model_are_ignored_until_indexed_anew(model: None, settings: Settings) -> None:
    settings.EMBEDDER = "tests.search.test_meaning.Letters"
    assert search("when will my package get here", readers=EVERYONE) == []
    assert sum(articles_embed()) == ArticleSection.objects.count()
    assert search("track your parcel", readers=EVERYONE)[0].slug == "track-your-parcel"


def test_vectors_have_length_one_and_do_not_depend_on_their_batch(settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    embedder = get_embedder()
    assert embedder is not None
    texts = ["short", "a somewhat longer question about a parcel that is late", "", "mittel " * 400]
    together = embedder.embed(texts)
    assert together.shape == (4, 384)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.vstack([embedder.embed([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_threads_share_one_model(settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    embedder = get_embedder()
    assert embedder is not None
    expected = embedder.embed(["the same question"])
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(embedder.embed, [["the same question"]] * 12):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)
