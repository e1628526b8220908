"""What came from elsewhere, and when: read only. Imports are commands (docs/importing.md)."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin
from tickets.models import ImportedArticle, ImportedRecord


@admin.register(ImportedArticle)
class ImportedArticleAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "article", "language", "source", "changed_at", "vanished_at")
    list_filter = ("source", "language", ("vanished_at", admin.EmptyFieldListFilter))
    list_select_related = ("article",)
    search_fields = ("external_id", "article__title", "article__slug")


@admin.register(ImportedRecord)
class ImportedRecordAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "customer", "order", "changed_at")
    list_select_related = ("customer", "order")
    search_fields = ("customer__email", "customer__name", "order__order_number")
    exclude = ("left",)
