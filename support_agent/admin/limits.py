"""Spend, limits, switches and live processes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString

from support_agent.models import (
    Heartbeat,
    Spend,
    SurfaceLimit,
    Switch,
    SystemLimit,
)
from tickets.admin.base import ReadOnlyAdmin, RecordAdmin, usd


@admin.register(Spend)
class SpendAdmin(ReadOnlyAdmin):
    list_display = ("scope", "key", "period", "spent", "reserved_usd")
    list_filter = ("scope",)
    search_fields = ("=key", "=period")
    ordering = ("-id",)

    @admin.display(description="spent", ordering="spent_usd")
    def spent(self, obj: Spend) -> SafeString:
        return usd(obj.spent_usd)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "started_at", "seen_at")
    list_filter = ("kind",)
    search_fields = ("name",)


@admin.register(SurfaceLimit)
class SurfaceLimitAdmin(RecordAdmin):
    """What is left empty keeps its default; every change is audited."""

    list_display = ("surface", "step", "turn", "turn_tokens", "conversation", "day")
    search_fields = ("surface",)


@admin.register(SystemLimit)
class SystemLimitAdmin(RecordAdmin):
    """Without a row the default holds; every change is audited."""

    list_display = ("period", "usd", "created_at")
    search_fields = ("period",)


@admin.register(Switch)
class SwitchAdmin(RecordAdmin):
    """A switch that is on; deleting it turns it off."""

    list_display = ("name", "tool", "source", "reason", "changed_by", "overridden_until", "created_at")
    list_filter = ("name", "source")
    list_select_related = ("changed_by",)
    search_fields = ("tool", "reason")
    readonly_fields = ("source", "changed_by", "created_at")

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        obj.changed_by = request.user
        super().save_model(request, obj, form, change)
