"""Articles in other languages: written, published, confirmed after the article changed, removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from tickets.models import Article, ArticleTranslation, User
from tickets.services.articles import translation_index, words_forget
from tickets.services.audit import audit


@transaction.atomic
def translation_save(
    *,
    article: Article,
    language: str,
    title: str,
    body: str,
    summary: str = "",
    keywords: Iterable[str] = (),
    status: str = Article.Status.DRAFT,
    updated_at: datetime | None = None,
    actor: User | None = None,
    embed: bool = True,
) -> ArticleTranslation:
    """Create or change an article's texts in one language, and index them; saving confirms that they fit the article as
    it is now. Raises ValidationError on a value that does not fit."""
    known = ArticleTranslation.objects.select_for_update().filter(article=article, language=language).first()
    translation = known or ArticleTranslation(article=article, language=language)
    new = {"title": title, "summary": summary, "body": body, "status": status}
    new["keywords"] = ", ".join(dict.fromkeys(word.strip() for word in keywords if word.strip()))
    changes = {
        name: (getattr(translation, name), value) for name, value in new.items() if getattr(translation, name) != value
    }
    for name, value in new.items():
        setattr(translation, name, value)
    translation.updated_at = updated_at or timezone.now()
    translation.full_clean(exclude=["article"])
    translation.save()
    if actor is not None:
        seen = changes or {"confirmed": ("", translation.updated_at.isoformat())}
        audit(actor=actor, action="translation.save", obj=translation, changes=seen)
    translation_index(translation=translation, embed=embed)
    return translation


@transaction.atomic
def translation_delete(*, translation: ArticleTranslation, actor: User | None = None) -> None:
    """Remove an article's texts in one language; the article is shown in English there again."""
    if actor is not None:
        audit(actor=actor, action="translation.delete", obj=translation, changes={"title": (translation.title, "")})
    words_forget(article=translation.article, language=translation.language)
    translation.delete()
