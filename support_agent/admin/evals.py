"""Evaluation runs and how their cases went: history, written by the runs alone."""

from __future__ import annotations

from django.contrib import admin

from support_agent.models import EvalResult, EvalRun
from tickets.admin.base import ReadOnlyAdmin


@admin.register(EvalRun)
class EvalRunAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "suite", "model", "repeat", "prompt", "state", "is_passed", "cost_usd")
    list_filter = ("kind", "state", "is_passed", "model", "created_at")
    list_select_related = ("prompt",)
    search_fields = ("suite", "code", "error")


@admin.register(EvalResult)
class EvalResultAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "case", "suite", "adversarial", "status", "held", "runs", "outcome", "cost_usd")
    list_filter = ("status", "suite", "outcome", "created_at")
    list_select_related = ("run",)
    search_fields = ("case", "=run__id")
