"""Writes to the help centre: an article is searchable by words at once, by meaning as soon as the job has run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from tickets.models import Article, ArticleSection, SearchIndex, SearchTerm, User
from tickets.queue import enqueue
from tickets.search.embedder import Embedder, Vectors, get_embedder
from tickets.search.sections import Section, split_sections
from tickets.services.audit import audit

FIELDS = ("title", "category", "summary", "body", "keywords", "status")


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
    updated_at: datetime | None = None,
    actor: User | None = None,
    embed: bool = True,
) -> Article:
    """Create or change the article of this slug, and index it. Raises ValidationError on a value that does not fit.

    Without `embed` no job is enqueued: the caller makes the vectors of many articles at once (`articles_embed`).
    """
    article = Article.objects.select_for_update().filter(slug=slug).first() or Article(slug=slug)
    new = {"title": title, "category": category, "summary": summary, "body": body, "status": status}
    new["keywords"] = ", ".join(dict.fromkeys(word.strip() for word in keywords if word.strip()))
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
    before = _terms(article)
    kept = {section.digest: section for section in article.sections.all()}
    article.sections.all().delete()
    if article.status == Article.Status.PUBLISHED:
        rows = [_row(article, position, section, kept) for position, section in enumerate(_sections(article))]
        ArticleSection.objects.bulk_create(rows)
        _weigh(article)
        if embed and get_embedder() and any(row.embedding is None for row in rows):
            enqueue(embed_article, str(article.pk))
    _count_terms(before, _terms(article))


def article_delete(*, article: Article, actor: User | None = None) -> None:
    """Remove an article, its sections and its words."""
    with transaction.atomic():
        index_changed()
        before = _terms(article)
        if actor is not None:
            audit(actor=actor, action="article.delete", obj=article, changes={"title": (article.title, "")})
        article.delete()
        _count_terms(before, set())


def index_changed() -> None:
    """Give the index a new version; whoever else changes it waits until this transaction ends."""
    SearchIndex.objects.bulk_create(
        [SearchIndex()], update_conflicts=True, update_fields=["version"], unique_fields=["id"]
    )


def sections_embed(*, sections: Sequence[ArticleSection], embedder: Embedder) -> int:
    """Compute and store the vectors of these sections (with their articles loaded); how many were stored."""
    vectors = embedder.embed([_embedded_text(row.article, row.heading, row.text) for row in sections])
    return vectors_store(sections=sections, vectors=vectors, embedder=embedder.name)


def vectors_store(*, sections: Sequence[ArticleSection], vectors: Vectors, embedder: str) -> int:
    """Store one vector per section, made by the embedder of this name; how many sections were still there."""
    with transaction.atomic():
        index_changed()
        for row, vector in zip(sections, vectors, strict=True):
            row.embedding, row.embedder = vector.astype("<f4").tobytes(), embedder
        # A section that was replaced meanwhile is simply not there any more: an update of it hits nothing.
        return ArticleSection.objects.bulk_update(sections, ["embedding", "embedder"], batch_size=500)


def _sections(article: Article) -> list[Section]:
    return split_sections(article.body) or [Section("", [article.summary or article.title])]


def _row(article: Article, position: int, section: Section, kept: dict[str, ArticleSection]) -> ArticleSection:
    text = _embedded_text(article, section.heading, section.text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = ArticleSection(
        article=article, position=position, heading=section.heading[:200], text=section.text, digest=digest
    )
    if same := kept.pop(digest, None):
        row.id, row.embedding, row.embedder = same.id, same.embedding, same.embedder
    return row


def _embedded_text(article: Article, heading: str, text: str) -> str:
    head = f"{article.title}: {heading}" if heading else f"{article.title}. {article.summary}"
    return f"{head}\n{text}"


def _weigh(article: Article) -> None:
    """Title A, keywords B, heading C (the summary stands in for it before the first one), text D."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tickets_articlesection s SET lexemes =
                setweight(to_tsvector('help', translate(a.title, '/', ' ')), 'A') ||
                setweight(to_tsvector('help', translate(a.keywords, '/', ' ')), 'B') ||
                setweight(to_tsvector('help', translate(
                    CASE WHEN s.heading = '' THEN a.summary ELSE s.heading END, '/', ' ')), 'C') ||
                to_tsvector('help', translate(s.text, '/', ' '))
            FROM tickets_article a WHERE a.id = s.article_id AND a.id = %s
            """,
            [article.pk],
        )


def _terms(article: Article) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT t.lexeme FROM tickets_articlesection s, unnest(s.lexemes) t WHERE s.article_id = %s",
            [article.pk],
        )
        return {lexeme for (lexeme,) in cursor.fetchall()}


def _count_terms(before: set[str], after: set[str]) -> None:
    gone, come = sorted(before - after), sorted(after - before)
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


def terms_recount() -> int:
    """Count the whole vocabulary anew, in case the figures drifted; how many words it has."""
    with transaction.atomic(), connection.cursor() as cursor:
        index_changed()
        SearchTerm.objects.all().delete()
        cursor.execute(
            "INSERT INTO tickets_searchterm (lexeme, articles) SELECT t.lexeme, count(DISTINCT s.article_id) "
            "FROM tickets_articlesection s, unnest(s.lexemes) t GROUP BY t.lexeme"
        )
        counted: int = cursor.rowcount
        return counted


def articles_embed(*, articles: Iterable[UUID | str] | None = None, batch: int = 64) -> Iterator[int]:
    """Make the vectors that sections lack, of these articles or of all; yields how many were stored, batch by batch."""
    embedder = get_embedder()
    if embedder is None:
        return
    missing = ArticleSection.objects.exclude(embedder=embedder.name).select_related("article")
    if articles is not None:
        missing = missing.filter(article_id__in=list(articles))
    ids = list(missing.order_by("article_id", "position").values_list("id", flat=True))
    for start in range(0, len(ids), batch):
        rows = list(missing.filter(id__in=ids[start : start + batch]))
        yield sections_embed(sections=rows, embedder=embedder)


def articles_embed_later(*, limit: int = 20) -> int:
    """Enqueue the jobs of articles that still lack vectors: a job was lost, or the model is another; how many."""
    embedder = get_embedder()
    if embedder is None:
        return 0
    missing = ArticleSection.objects.exclude(embedder=embedder.name).order_by("article_id")
    articles = list(missing.values_list("article_id", flat=True).distinct()[:limit])
    for article_id in articles:
        enqueue(embed_article, str(article_id), name=f"embed {article_id}")
    return len(articles)


def embed_article(article_id: str) -> None:
    """The job: compute the vectors that the article's sections lack."""
    for _ in articles_embed(articles=[article_id]):
        pass
