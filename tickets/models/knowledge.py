"""The help centre: articles, and their sections as search reads them."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.base import Record


class Article(Record):
    class Category(models.TextChoices):
        BILLING = "billing", _("Billing")
        TECHNICAL = "technical", _("Technical")
        ACCOUNT = "account", _("Account")
        PRODUCT = "product", _("Product")

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    class Audience(models.TextChoices):
        EVERYONE = "everyone", "Everyone"
        SIGNED_IN = "signed_in", "Signed-in customers"
        PAYING = "paying", "Plus and Business customers"
        PLUS = "plus", "Plus customers"
        ENTERPRISE = "enterprise", "Business customers"

    slug = models.SlugField(max_length=120, unique=True)
    title = models.CharField(max_length=160)
    category = models.CharField(max_length=10, choices=Category.choices, db_index=True)
    summary = models.CharField(max_length=300, blank=True)
    body = models.TextField(help_text="Markdown.")
    keywords = models.CharField(max_length=400, blank=True, help_text="Codes and names that must find this article.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT, db_index=True)
    audience = models.CharField(
        max_length=10,
        choices=Audience.choices,
        default=Audience.EVERYONE,
        db_default=Audience.EVERYONE,
        help_text="Who may read it, and be answered from it. Staff always may.",
    )
    updated_at = models.DateTimeField(default=timezone.now)
    shown_in = "en"  # set by selectors.translations where its texts were put into another language

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/help/{self.slug}/"

    @property
    def audience_label(self) -> str:
        """Whose it is, in words, when it is not everyone's."""
        return "" if self.audience == self.Audience.EVERYONE else str(self.get_audience_display())


class ArticleSection(Record):
    """One heading's worth of a published article, or of a published translation of it, as plain text.

    `digest` is the SHA-256 of what was embedded; `embedding` holds the float32 vector, little-endian, and `embedder`
    names the model it came from. `audience` is its article's, so that a search needs no second table to keep to it.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sections")
    language = models.CharField(max_length=5, default="en", db_default="en")
    position = models.PositiveIntegerField()
    heading = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    audience = models.CharField(
        max_length=10, choices=Article.Audience.choices, default="everyone", db_default="everyone"
    )
    lexemes = SearchVectorField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    embedding = models.BinaryField(null=True)
    embedder = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["article", "language", "position"]
        constraints = [
            models.UniqueConstraint(fields=["article", "language", "position"], name="article_section_place")
        ]
        # Without a pending list: after an import every search would read through it until the next vacuum.
        indexes = [GinIndex(fields=["lexemes"], name="article_section_lexemes", fastupdate=False)]


class ArticleFeedback(Record):
    """Whether a reader was helped by an article. Nobody's: the reader's browser alone knows which row is its own."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="feedback")
    helpful = models.BooleanField()
    comment = models.CharField(max_length=500, blank=True, help_text="What was missing; what names a person is hidden.")

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "article feedback"
        indexes = [models.Index(fields=["created_at"], name="article_feedback_by_time")]

    def __str__(self) -> str:
        return f"{self.article}: {'helpful' if self.helpful else 'not helpful'}"


class SearchTerm(models.Model):
    """A stemmed word of the published articles and in how many of them it stands: for its weight, and for typos. Each
    process keeps them all in memory (search.snapshot)."""

    lexeme = models.TextField(primary_key=True)
    articles = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.lexeme


class SearchIndex(models.Model):
    """One row; its version changes with every change of the index, so that processes know when to read again."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.UUIDField(default=uuid4)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="search_index_one_row")]

    def __str__(self) -> str:
        return str(self.version)
