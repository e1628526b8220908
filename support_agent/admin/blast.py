"""Blast radii: what a change would have altered in past turns."""

from __future__ import annotations

from django.contrib import admin

from support_agent.models import BlastRadius
from tickets.admin.base import ReadOnlyAdmin


@admin.register(BlastRadius)
class BlastRadiusAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "article", "prompt", "tool", "state", "touched", "asked_by")
    list_filter = ("kind", "state", "created_at")
    list_select_related = ("article", "prompt", "asked_by")
    search_fields = ("article__title", "article__slug", "tool")
