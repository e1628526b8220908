"""Articles in other languages than English, and the words they hold."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tickets.models.base import Record
from tickets.models.knowledge import Article


class Language(models.TextChoices):
    """What an article can be translated into; `settings.LANGUAGES` without English."""

    GERMAN = "de", "German"
    FRENCH = "fr", "French"
    SPANISH = "es", "Spanish"
    ARABIC = "ar", "Arabic"


class ArticleTranslation(Record):
    """An article's texts in one language. Shown only while the article itself is published, too.

    `updated_at` is when somebody last changed or confirmed it: an article changed after that makes it stale.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(max_length=5, choices=Language.choices)
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=300, blank=True)
    body = models.TextField(help_text="Markdown.")
    keywords = models.CharField(
        max_length=400, blank=True, help_text="Words that must find it in this language; codes come from the article."
    )
    status = models.CharField(
        max_length=10, choices=Article.Status.choices, default=Article.Status.DRAFT, db_index=True
    )
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["article", "language"]
        constraints = [models.UniqueConstraint(fields=["article", "language"], name="article_translated_once")]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"

    @property
    def is_stale(self) -> bool:
        """Whether the article was changed after it."""
        return self.article.updated_at > self.updated_at


class TranslatedTerm(models.Model):
    """A stemmed word of one language's translations and in how many of them it stands; SearchTerm has the English."""

    language = models.CharField(max_length=5)
    lexeme = models.TextField()
    articles = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["language", "lexeme"], name="translated_term_once")]

    def __str__(self) -> str:
        return f"{self.lexeme} ({self.language})"
