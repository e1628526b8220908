"""Writes to the help centre: an article is searchable by words at once, by meaning as soon as the job has run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from tickets.languages import ENGLISH
from tickets.models import Article, ArticleSection, ArticleTranslation, SearchIndex, SearchTerm, TranslatedTerm, User
from tickets.queue import enqueue
from tickets.search.embedder import Embedder, Vectors, get_embedder
from tickets.search.lexical import configuration
from tickets.search.sections import Section, split_sections
from tickets.services.audit import audit

_at_once: ContextVar[bool] = ContextVar("at_once", default=False)
FIELDS = ("title", "category", "summary", "body", "keywords", "status", "audience")


@transaction.atomic
def article_save(
    *,
    slug: str,
    title: str,
    category: str,
    body: str,
    summary: str = "",
    keywords: Iterable[str] = (),
    status: str = Article.Status.DRAFT,
    audience: str | None = None,
    updated_at: datetime | None = None,
    actor: User | None = None,
    embed: bool = True,
) -> Article:
    """Create or change the article of this slug, and index it. Raises ValidationError on a value that does not fit.

    Without `audience` it keeps the one it has, and a new one is everyone's.

    Without `embed` no job is enqueued: the caller makes the vectors of many articles at once (`articles_embed`).
    """
    article = Article.objects.select_for_update().filter(slug=slug).first() or Article(slug=slug)
    new = {"title": title, "category": category, "summary": summary, "body": body, "status": status}
    new["keywords"] = ", ".join(dict.fromkeys(word.strip() for word in keywords if word.strip()))
    new["audience"] = article.audience if audience is None else audience
    changes = {name: (getattr(article, name), value) for name, value in new.items() if getattr(article, name) != value}
    for name, value in new.items():
        setattr(article, name, value)
    article.updated_at = updated_at or (timezone.now() if changes else article.updated_at)
    article.full_clean()
    article.save()
    if actor is not None and changes:
        audit(actor=actor, action="article.save", obj=article, changes=changes)
    article_index(article=article, embed=embed)
    return article


@transaction.atomic
def article_set_status(*, article: Article, status: Article.Status, actor: User | None = None) -> Article:
    """Publish an article or take it back into the drafts; nothing happens when it is there already."""
    locked = Article.objects.select_for_update().get(pk=article.pk)
    if locked.status != status:
        if actor is not None:
            audit(actor=actor, action="article.status", obj=locked, changes={"status": (locked.status, status)})
        locked.status = status
        locked.save(update_fields=["status"])
        article_index(article=locked)
    return locked


@transaction.atomic
def article_index(*, article: Article, embed: bool = True) -> None:
    """Cut a published article into sections, weigh its words, count them in the vocabulary; forget a draft's.

    A section whose text stayed keeps its vector; the others get theirs from a job after commit.
    """
    index_changed()  # also the lock: articles are indexed one at a time
    _index(article, article, ENGLISH)
    for translation in article.translations.all():
        _index(article, translation, translation.language)
    if embed and _unembedded().filter(article=article).exists():
        enqueue(embed_article, str(article.pk))


def translation_index(*, translation: ArticleTranslation, embed: bool = True) -> None:
    """The same for one language of an article."""
    index_changed()
    _index(translation.article, translation, translation.language)
    if embed and _unembedded().filter(article=translation.article).exists():
        enqueue(embed_article, str(translation.article_id))


def words_forget(*, article: Article, language: str) -> None:
    """Take an article's sections in one language out of the index."""
    index_changed()
    before = _terms(article, language)
    article.sections.filter(language=language).delete()
    _count_terms(language, before, set())


def _index(article: Article, texts: Article | ArticleTranslation, language: str) -> None:
    before = _terms(article, language)
    mine = article.sections.filter(language=language)
    kept = {section.digest: section for section in mine}
    mine.delete()
    if article.status == texts.status == Article.Status.PUBLISHED:
        sections = split_sections(texts.body) or [Section("", [texts.summary or texts.title])]
        rows = [_row(article, texts, language, at, section, kept) for at, section in enumerate(sections)]
        ArticleSection.objects.bulk_create(rows)
        _weigh(article, texts, language)
    _count_terms(language, before, _terms(article, language))


def article_delete(*, article: Article, actor: User | None = None) -> None:
    """Remove an article, its sections and its words."""
    with transaction.atomic():
        index_changed()
        before = {language: _terms(article, language) for language in _languages(article)}
        if actor is not None:
            audit(actor=actor, action="article.delete", obj=article, changes={"title": (article.title, "")})
        article.delete()
        for language, terms in before.items():
            _count_terms(language, terms, set())


@contextmanager
def index_at_once() -> Iterator[None]:
    """What changes in here becomes one new version of the index, at the end: other processes read it anew once. Until
    then they find new words already, and nothing by a meaning that is gone."""
    token = _at_once.set(True)
    try:
        yield
    finally:
        _at_once.reset(token)
        index_changed()


def index_changed() -> None:
    """Give the index a new version; whoever else changes it waits until this transaction ends."""
    if _at_once.get() and SearchIndex.objects.select_for_update().filter(pk=1).first() is not None:
        return
    SearchIndex.objects.bulk_create(
        [SearchIndex()], update_conflicts=True, update_fields=["version"], unique_fields=["id"]
    )


def sections_embed(*, sections: Sequence[ArticleSection], embedder: Embedder) -> int:
    """Compute and store the vectors of these sections (with their articles loaded); how many were stored."""
    vectors = embedder.embed([_embedded_text(_texts(row), row.heading, row.text) for row in sections])
    return vectors_store(sections=sections, vectors=vectors, embedder=embedder.name)


def vectors_store(*, sections: Sequence[ArticleSection], vectors: Vectors, embedder: str) -> int:
    """Store one vector per section, made by the embedder of this name; how many sections were still there."""
    with transaction.atomic():
        index_changed()
        for row, vector in zip(sections, vectors, strict=True):
            row.embedding, row.embedder = vector.astype("<f4").tobytes(), embedder
        # A section that was replaced meanwhile is simply not there any more: an update of it hits nothing.
        return ArticleSection.objects.bulk_update(sections, ["embedding", "embedder"], batch_size=500)


def _languages(article: Article) -> list[str]:
    return list(article.sections.order_by().values_list("language", flat=True).distinct())


def _texts(row: ArticleSection) -> Article | ArticleTranslation:
    """Whose title and summary a section's vector is made with."""
    return row.article if row.language == ENGLISH else row.article.translations.get(language=row.language)


def _row(
    article: Article,
    texts: Article | ArticleTranslation,
    language: str,
    position: int,
    section: Section,
    kept: dict[str, ArticleSection],
) -> ArticleSection:
    text = _embedded_text(texts, section.heading, section.text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = ArticleSection(
        article=article,
        language=language,
        position=position,
        audience=article.audience,
        heading=section.heading[:200],
        text=section.text,
        digest=digest,
    )
    if same := kept.pop(digest, None):
        row.id, row.embedding, row.embedder = same.id, same.embedding, same.embedder
    return row


def _embedded_text(texts: Article | ArticleTranslation, heading: str, text: str) -> str:
    head = f"{texts.title}: {heading}" if heading else f"{texts.title}. {texts.summary}"
    return f"{head}\n{text}"


FOLDED = frozenset({"fr", "es"})
"""Languages whose accents their stemmers need and people leave out: their words are indexed both ways."""
_VECTOR = "to_tsvector(%(words)s::regconfig, translate({}, '/', ' '))"
_WEIGH = """
UPDATE tickets_articlesection s SET lexemes =
    setweight({title}, 'A') || setweight({keywords}, 'B') || setweight({heading}, 'C') || {text}
WHERE s.article_id = %(article)s AND s.language = %(language)s
"""
_PARTS = {
    "title": "%(title)s::text",
    "keywords": "%(keywords)s::text",
    "heading": "CASE WHEN s.heading = '' THEN %(summary)s::text ELSE s.heading END",
    "text": "s.text",
}
WEIGH = _WEIGH.format(**{name: _VECTOR.format(part) for name, part in _PARTS.items()})
WEIGH_FOLDED = _WEIGH.format(
    **{name: _VECTOR.format(f"{part} || ' ' || unaccent({part})") for name, part in _PARTS.items()}
)


def _weigh(article: Article, texts: Article | ArticleTranslation, language: str) -> None:
    """Title A, keywords B, heading C (the summary stands in for it before the first one), text D. The article's own
    keywords find every translation of it, too: most are codes and names."""
    keywords = article.keywords if texts is article else f"{texts.keywords}, {article.keywords}"
    with connection.cursor() as cursor:
        cursor.execute(
            WEIGH_FOLDED if language in FOLDED else WEIGH,
            {
                "words": configuration(language),
                "title": texts.title,
                "keywords": keywords,
                "summary": texts.summary,
                "article": article.pk,
                "language": language,
            },
        )


def _terms(article: Article, language: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT t.lexeme FROM tickets_articlesection s, unnest(s.lexemes) t "
            "WHERE s.article_id = %s AND s.language = %s AND octet_length(t.lexeme) < 1000",
            [article.pk, language],
        )
        return {lexeme for (lexeme,) in cursor.fetchall()}


def _count_terms(language: str, before: set[str], after: set[str]) -> None:
    gone, come = sorted(before - after), sorted(after - before)
    if language != ENGLISH:
        return _count_translated(language, gone, come)
    with connection.cursor() as cursor:
        if gone:
            cursor.execute("DELETE FROM tickets_searchterm WHERE lexeme = ANY(%s) AND articles <= 1", [gone])
            cursor.execute("UPDATE tickets_searchterm SET articles = articles - 1 WHERE lexeme = ANY(%s)", [gone])
        if come:
            cursor.execute(
                "INSERT INTO tickets_searchterm (lexeme, articles) SELECT unnest(%s::text[]), 1 "
                "ON CONFLICT (lexeme) DO UPDATE SET articles = tickets_searchterm.articles + 1",
                [come],
            )


def _count_translated(language: str, gone: list[str], come: list[str]) -> None:
    with connection.cursor() as cursor:
        if gone:
            theirs = TranslatedTerm.objects.filter(language=language, lexeme__in=gone)
            theirs.filter(articles__lte=1).delete()
            theirs.update(articles=F("articles") - 1)
        if come:
            cursor.execute(
                "INSERT INTO tickets_translatedterm (language, lexeme, articles) SELECT %s, unnest(%s::text[]), 1 "
                "ON CONFLICT (language, lexeme) DO UPDATE SET articles = tickets_translatedterm.articles + 1",
                [language, come],
            )


def terms_recount() -> int:
    """Count the whole vocabulary anew, in case the figures drifted; how many words it has in all languages."""
    with transaction.atomic(), connection.cursor() as cursor:
        index_changed()
        SearchTerm.objects.all().delete()
        TranslatedTerm.objects.all().delete()
        cursor.execute(
            "INSERT INTO tickets_searchterm (lexeme, articles) SELECT t.lexeme, count(DISTINCT s.article_id) "
            "FROM tickets_articlesection s, unnest(s.lexemes) t WHERE s.language = 'en' "
            "AND octet_length(t.lexeme) < 1000 GROUP BY t.lexeme"  # longer ones do not fit an index, and are no words
        )
        english: int = cursor.rowcount
        cursor.execute(
            "INSERT INTO tickets_translatedterm (language, lexeme, articles) "
            "SELECT s.language, t.lexeme, count(DISTINCT s.article_id) "
            "FROM tickets_articlesection s, unnest(s.lexemes) t WHERE s.language <> 'en' "
            "AND octet_length(t.lexeme) < 1000 GROUP BY s.language, t.lexeme"
        )
        translated: int = cursor.rowcount
        return english + translated


def _unembedded() -> QuerySet[ArticleSection]:
    """Sections that lack a vector of the embedder in use, in the languages it understands."""
    embedder = get_embedder()
    if embedder is None:
        return ArticleSection.objects.none()
    return ArticleSection.objects.filter(language__in=embedder.languages).exclude(embedder=embedder.name)


def articles_embed(*, articles: Iterable[UUID | str] | None = None, batch: int = 64) -> Iterator[int]:
    """Make the vectors that sections lack, of these articles or of all; yields how many were stored, batch by batch."""
    embedder = get_embedder()
    if embedder is None:
        return
    missing = _unembedded().select_related("article")
    if articles is not None:
        missing = missing.filter(article_id__in=list(articles))
    ids = list(missing.order_by("article_id", "position").values_list("id", flat=True))
    for start in range(0, len(ids), batch):
        rows = list(missing.filter(id__in=ids[start : start + batch]))
        yield sections_embed(sections=rows, embedder=embedder)


def articles_embed_later(*, limit: int = 20) -> int:
    """Enqueue the jobs of articles that still lack vectors: a job was lost, or the model is another; how many."""
    missing = _unembedded().order_by("article_id")
    articles = list(missing.values_list("article_id", flat=True).distinct()[:limit])
    for article_id in articles:
        enqueue(embed_article, str(article_id), name=f"embed {article_id}")
    return len(articles)


def embed_article(article_id: str) -> None:
    """The job: compute the vectors that the article's sections lack."""
    for _ in articles_embed(articles=[article_id]):
        pass
