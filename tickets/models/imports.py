"""What came from elsewhere: so that the next import knows what changed there, and what was changed here."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tickets.models.base import Record
from tickets.models.knowledge import Article


class ImportedArticle(Record):
    """An article of a source, or its texts in another language. `digest` is of what the source said, `left` of what the
    import left here: an article that has another one by now was edited by staff. Without `article`, staff deleted it.
    """

    source = models.CharField(max_length=160)
    external_id = models.CharField(max_length=400)
    language = models.CharField(max_length=5, default="en")
    article = models.ForeignKey(Article, null=True, blank=True, on_delete=models.SET_NULL, related_name="imported")
    digest = models.CharField(max_length=64)
    left = models.CharField(max_length=64)
    left_status = models.CharField(max_length=10, choices=Article.Status.choices)
    changed_at = models.DateTimeField(default=timezone.now, help_text="When an import last wrote it.")
    vanished_at = models.DateTimeField(null=True, blank=True, help_text="When the source had it no more.")

    class Meta:
        ordering = ["source", "external_id", "language"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id", "language"], name="imported_article_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id} ({self.language})"


class ImportedRecord(Record):
    """A customer or an order that came by CSV. `digest` is of what the row said, `left` has one for each field as the
    import left it: where a record has another value by now, it was changed here."""

    customer = models.OneToOneField(
        "tickets.Customer", null=True, blank=True, on_delete=models.CASCADE, related_name="imported"
    )
    order = models.OneToOneField(
        "tickets.Order", null=True, blank=True, on_delete=models.CASCADE, related_name="imported"
    )
    digest = models.CharField(max_length=64)
    left = models.JSONField(default=dict)
    changed_at = models.DateTimeField(default=timezone.now, help_text="When an import last wrote it.")

    class Meta:
        ordering = ["-changed_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(customer__isnull=False, order__isnull=True)
                | models.Q(customer__isnull=True, order__isnull=False),
                name="imported_record_of_one",
            )
        ]

    def __str__(self) -> str:
        return str(self.customer or self.order)
