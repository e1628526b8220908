"""The help centre: articles, and their sections as search reads them."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from tickets.models.base import Record


class Article(Record):
    class Category(models.TextChoices):
        BILLING = "billing", "Billing"
        TECHNICAL = "technical", "Technical"
        ACCOUNT = "account", "Account"
        PRODUCT = "product", "Product"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    slug = models.SlugField(max_length=120, unique=True)
    title = models.CharField(max_length=160)
    category = models.CharField(max_length=10, choices=Category.choices, db_index=True)
    summary = models.CharField(max_length=300, blank=True)
    body = models.TextField(help_text="Markdown.")
    keywords = models.CharField(max_length=400, blank=True, help_text="Codes and names that must find this article.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT, db_index=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/help/{self.slug}/"


class ArticleSection(Record):
    """One heading's worth of a published article. `embedding` is float32, little-endian, made by `embedder`."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveIntegerField()
    heading = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    lexemes = SearchVectorField(null=True)
    embedding = models.BinaryField(null=True)
    embedder = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["article", "position"]
        constraints = [models.UniqueConstraint(fields=["article", "position"], name="article_section_position")]
        indexes = [GinIndex(fields=["lexemes"], name="article_section_lexemes")]
