"""Search in the customer's language: by its own stems, in English where there is nothing, by meaning only where the
model understands it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from support_agent.agent.toolkit import ToolContext
from support_agent.tools import ALL
from tests.languages.conftest import Translate
from tickets.audience import EVERYONE
from tickets.ids import new_id
from tickets.languages import speaking
from tickets.models import Article, ArticleSection, SearchTerm
from tickets.models.translations import TranslatedTerm
from tickets.search import search
from tickets.search.embedder import Vectors
from tickets.selectors.articles import shelves
from tickets.selectors.suggestions import suggestions
from tickets.services.articles import article_delete, article_set_status, articles_embed, terms_recount
from tickets.services.translations import translation_delete

WITHOUT_ACCENTS = ("etiquette", "devolucion")  # found, but nothing is marked


def slugs(query: str, language: str) -> list[str]:
    return [hit.slug for hit in search(query, language=language, readers=EVERYONE)]


@pytest.mark.parametrize(
    ("language", "title", "body", "question"),
    [
        ("de", "Artikel zurückgeben", "Die Rückgaben sind kostenlos.", "Rückgabe kostenloser"),
        ("de", "Straßen", "Große Häuser bekommen Pakete.", "grosses haus strassen"),
        ("fr", "Retourner un article", "Les étiquettes arrivent par courriel.", "retournés étiquette"),
        ("es", "Devolver un artículo", "Las devoluciones son gratuitas.", "devolución gratuito"),
        ("fr", "Coûts", "Les étiquettes arrivent par courriel.", "etiquette"),
        ("es", "Cuentas", "La devolución es gratuita.", "devolucion"),
        ("ar", "إرجاع المنتجات", "يمكنك إرجاع المنتج خلال ثلاثين يومًا من التسليم.", "ارجاع منتج"),
    ],
)
def test_each_language_has_its_own_stems(
    translate: Translate, language: str, title: str, body: str, question: str
) -> None:
    translate("returns", language, title, body)
    hits = search(question, language=language, readers=EVERYONE)
    assert [(hit.slug, hit.title, hit.language) for hit in hits] == [("returns", title, language)]
    assert ("<mark>" in hits[0].snippet_html) == (question not in WITHOUT_ACCENTS)
    assert all(hit.language == "en" for hit in search(question, language="en", readers=EVERYONE))


def test_what_nobody_translated_is_found_in_english(german: None) -> None:
    hits = search("Trailmate Bluetooth", language="de", readers=EVERYONE)
    assert [(hit.slug, hit.language) for hit in hits] == [("watch", "en")]
    assert slugs("how long is the warranty of a tent", "de") == ["warranty"]
    assert slugs("Quantenphysik", "de") == []


def test_a_code_finds_the_translation_of_its_article(german: None) -> None:
    assert search("KB-RETURNS", language="de", readers=EVERYONE)[0].title == "Artikel zurücksenden"


def test_a_mistyped_word_is_mended_by_the_words_of_its_language(german: None) -> None:
    assert slugs("Erstatung", "de") == ["refunds"]


def test_the_active_language_is_searched_when_none_is_named(german: None) -> None:
    with speaking("de-AT"):
        assert search("Paket verfolgen", readers=EVERYONE)[0].title == "Bestellung verfolgen"


def test_drafts_and_what_is_taken_back_are_not_found(shelf: dict[str, Article], translate: Translate) -> None:
    draft = translate("returns", "de", "Zurücksenden", "Ungenutzte Artikel.", status="draft")
    assert slugs("ungenutzte", "de") == []
    draft = translate("returns", "de", "Zurücksenden", "Ungenutzte Artikel.")
    assert slugs("ungenutzte", "de") == ["returns"]
    article_set_status(article=shelf["returns"], status=Article.Status.DRAFT)
    assert slugs("ungenutzte", "de") == []
    article_set_status(article=shelf["returns"], status=Article.Status.PUBLISHED)
    assert slugs("ungenutzte", "de") == ["returns"]
    translation_delete(translation=draft)
    assert slugs("ungenutzte", "de") == []
    assert slugs("unused things", "en") == ["returns"]


def test_the_words_of_each_language_are_counted_exactly(shelf: dict[str, Article], german: None) -> None:
    article_delete(article=shelf["tracking"])

    def counted() -> tuple[dict[str, int], dict[str, int]]:
        return (
            dict(SearchTerm.objects.values_list("lexeme", "articles")),
            dict(TranslatedTerm.objects.filter(language="de").values_list("lexeme", "articles")),
        )

    before = counted()
    terms_recount()
    assert counted() == before
    assert "sendungsnumm" not in before[1]
    assert not set(before[0]) & {"werktag", "paket"}


class Model:
    """An embedder that knows German, too: every text means the same."""

    name = "every-text-the-same"
    languages = frozenset({"en", "de"})
    related = 0.5

    def embed(self, texts: Sequence[str]) -> Vectors:
        foreign = [text for text in texts if "foreign" in text or len(texts) > 20]
        rows = [[0.0, 1.0] if text in foreign else [1.0, 0.0] for text in texts]
        return np.array(rows, dtype=np.float32)


class EnglishModel(Model):
    name = "every-text-the-same-in-english"
    languages = frozenset({"en"})


@pytest.fixture(params=[Model, EnglishModel])
def model(request: pytest.FixtureRequest, german: None, settings: Settings) -> type[Model]:
    settings.EMBEDDER = f"{__name__}.{request.param.__name__}"
    for _ in articles_embed():
        pass
    return request.param  # type: ignore[no-any-return]


def test_by_meaning_only_in_the_languages_the_model_declares(model: type[Model]) -> None:
    embedded = set(ArticleSection.objects.exclude(embedding=None).values_list("language", flat=True))
    assert embedded == model.languages
    found = slugs("zzqq", "de")  # no word of ours: only its meaning could find anything
    assert bool(found) == ("de" in model.languages)
    assert slugs("zzqq", "en")


def test_the_tool_searches_in_the_conversation_s_language_then_in_english(german: None) -> None:
    def ask(query: str, locale: str) -> list[str]:
        context = ToolContext(
            conversation_id=new_id(), turn_id=new_id(), customer_id=None, locale=locale, idempotency_key="k"
        )
        tool = ALL["search_knowledge_base"]
        result = tool.run(context, tool.arguments.model_validate({"query": query}))
        return [hit["title"] for hit in result.data.get("results", [])]

    assert ask("Lieferzeiten Express", "de-DE")[0] == "Lieferzeiten"
    assert ask("delivery express", "en")[0] == "Delivery times"
    assert ask("how long is the warranty", "de-DE") == ["Warranty"]


def test_shelves_show_translated_titles_where_there_are_any(german: None) -> None:
    with speaking("de"):
        titles = {article.title: article.shown_in for shelf in shelves(EVERYONE) for article in shelf.articles}
    assert titles["Lieferzeiten"] == "de"
    assert titles["Warranty"] == "en"
    assert "Delivery times" not in titles


def test_suggestions_begin_with_what_is_typed_in_the_page_s_language(german: None) -> None:
    with speaking("de"):
        assert [found.url for found in suggestions("Lief", readers=EVERYONE)] == ["/help/delivery/"]
        assert "<mark>Lief</mark>erzeiten" in suggestions("Lief", readers=EVERYONE)[0].title_html
        assert [found.url for found in suggestions("Warr", readers=EVERYONE)] == ["/help/warranty/"], (
            "what is there in English only"
        )
