"""Reads of articles in a language: the translation where there is one, English where there is none."""

from __future__ import annotations

from collections.abc import Iterable

from tickets.languages import ENGLISH, spoken
from tickets.models import Article, ArticleTranslation


def in_language(articles: Iterable[Article], language: str = "") -> list[Article]:
    """The same articles with the texts of their published translations into the language (the active one when none is
    given); each says by `shown_in` which language it ended up in. They are for showing, not for saving. One query."""
    found, language = list(articles), language or spoken()
    for article in found:
        article.shown_in = ENGLISH
    if language == ENGLISH:
        return found
    published = ArticleTranslation.objects.filter(article__in=found, language=language, status=Article.Status.PUBLISHED)
    translated = {translation.article_id: translation for translation in published}
    for article in found:
        if (texts := translated.get(article.pk)) is not None:
            article.title, article.summary, article.body = texts.title, texts.summary, texts.body
            article.updated_at, article.shown_in = texts.updated_at, language
    return found


def languages_of_article(article: Article) -> list[str]:
    """The languages that an article can be read in, English first."""
    published = ArticleTranslation.objects.filter(article=article, status=Article.Status.PUBLISHED)
    return [ENGLISH, *published.order_by("language").values_list("language", flat=True)]
