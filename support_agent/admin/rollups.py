"""The sums that dashboards read."""

from __future__ import annotations

from django.contrib import admin

from support_agent.models import (
    RollupMark,
    StepDay,
    StepHour,
    TallyDay,
    TallyHour,
    TurnDay,
    TurnHour,
)
from tickets.admin.base import ReadOnlyAdmin


@admin.register(StepDay)
class StepDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "surface", "kind", "model", "tool", "status", "steps", "cost_usd")
    list_filter = ("day", "kind", "surface")
    search_fields = ("tool", "model")
    ordering = ("-day",)


@admin.register(StepHour)
class StepHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "surface", "kind", "model", "tool", "status", "steps", "cost_usd")
    list_filter = ("hour", "kind", "surface")
    search_fields = ("tool", "model")
    ordering = ("-hour",)


@admin.register(TurnDay)
class TurnDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "surface", "path", "topic", "state", "turns", "conversations", "cost_usd")
    list_filter = ("day", "surface", "state")
    search_fields = ("topic",)
    ordering = ("-day",)


@admin.register(TurnHour)
class TurnHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "surface", "path", "topic", "state", "turns", "cost_usd")
    list_filter = ("hour", "surface", "state")
    search_fields = ("topic",)
    ordering = ("-hour",)


@admin.register(TallyDay)
class TallyDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "measure", "name", "bucket", "number", "cost_usd")
    list_filter = ("day", "measure")
    search_fields = ("name",)
    ordering = ("-day",)


@admin.register(TallyHour)
class TallyHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "measure", "name", "bucket", "number", "cost_usd")
    list_filter = ("hour", "measure")
    search_fields = ("name",)
    ordering = ("-hour",)


@admin.register(RollupMark)
class RollupMarkAdmin(ReadOnlyAdmin):
    list_display = ("name", "upto")
    search_fields = ("name",)
