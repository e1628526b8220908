"""A careful start: who answers where (changed on the controls page, with a reason), and what became of drafts."""

from __future__ import annotations

from django.contrib import admin

from support_agent.models import Draft, SurfaceMode
from tickets.admin.base import ReadOnlyAdmin


@admin.register(SurfaceMode)
class SurfaceModeAdmin(ReadOnlyAdmin):
    list_display = ("surface", "mode", "percent", "rest", "reason", "changed_by", "created_at")
    list_select_related = ("changed_by",)
    search_fields = ("surface", "reason")


@admin.register(Draft)
class DraftAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "surface", "language", "outcome", "why", "similarity", "words_changed", "settled_by")
    list_filter = ("outcome", "surface", "created_at")
    list_select_related = ("settled_by",)
    search_fields = ("=id", "=task__id", "task__about__reference")
