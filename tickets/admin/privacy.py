"""How long data is kept, and erasures."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin, RecordAdmin
from tickets.models import ErasureRequest, Retention


@admin.register(Retention)
class RetentionAdmin(RecordAdmin):
    """Without a row the default holds (docs/privacy.md); every change is audited."""

    list_display = ("kind", "days", "created_at")
    search_fields = ("kind",)


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    list_display = ("pseudonym", "state", "created_at", "done_at")
    list_filter = ("state",)
    search_fields = ("=pseudonym",)
