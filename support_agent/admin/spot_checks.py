"""Judged answers. What is open is not shown here either: whoever is still to judge it would see why it was drawn."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from support_agent.models import SpotCheck, SpotLabel
from tickets.admin.base import ReadOnlyAdmin


@admin.register(SpotCheck)
class SpotCheckAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "turn", "drawn", "chance", "wanted", "closed_at")
    list_filter = ("drawn", "created_at")
    list_select_related = ("turn",)
    search_fields = ("=turn__id", "=turn__conversation__reference")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(closed_at__isnull=False)


@admin.register(SpotLabel)
class SpotLabelAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "spot_check", "staff", "needs_person", "accuracy", "note")
    list_filter = ("accuracy", "needs_person", "created_at")
    list_select_related = ("spot_check", "staff")
    search_fields = ("note", "=spot_check__turn__conversation__reference")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(spot_check__closed_at__isnull=False)
