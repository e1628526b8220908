"""The audit: append-only, also for admins. The database refuses what these pages do not offer."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline
from tickets.models import AuditEntry, AuditValue


class ValueInline(ReadOnlyInline):
    model = AuditValue
    columns = ("field", "before", "after")
    show_change_link = False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "object_type", "object_id", "fields_changed")
    list_filter = ("action", "object_type", "created_at")
    list_select_related = ("actor",)
    search_fields = ("=object_id", "actor__username", "action")
    date_hierarchy = "created_at"
    inlines = (ValueInline,)

    @admin.display(description="fields")
    def fields_changed(self, obj: AuditEntry) -> str:
        return ", ".join(obj.fields)


@admin.register(AuditValue)
class AuditValueAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "entry", "field", "before", "after")
    list_select_related = ("entry",)
    search_fields = ("=entry__object_id", "field")
    ordering = ("-created_at",)
