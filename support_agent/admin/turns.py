"""Turns, their steps and tool calls, and what long conversations were reduced to: history."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from support_agent.models import (
    ConversationMemory,
    Step,
    ToolCall,
    Turn,
)
from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline, badge, conversation_pages, trace_link, usd


class StepInline(ReadOnlyInline):
    model = Step
    columns = (
        "index",
        "kind",
        "model",
        "tool",
        "status",
        "duration_ms",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "error",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step]:
        queryset: QuerySet[Step] = super().get_queryset(request)
        return queryset.defer("input", "output").order_by("attempt", "index")


class ToolCallInline(ReadOnlyInline):
    model = ToolCall
    columns = ("tool", "status", "arguments", "duration_ms", "created_at")


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)

    list_display = (
        "created_at",
        "conversation",
        "condition",
        "surface",
        "path",
        "topic",
        "step_count",
        "cost",
        "trace",
    )
    list_filter = ("state", "surface", "path", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference", "=id", "conversation__customer__email", "topic")
    date_hierarchy = "created_at"
    exclude = ("checkpoint", "reservation")
    inlines = (StepInline, ToolCallInline)

    @admin.display(description="state", ordering="state")
    def condition(self, obj: Turn) -> SafeString:
        return badge(obj.state, obj.get_state_display())

    @admin.display(description="cost", ordering="cost_usd")
    def cost(self, obj: Turn) -> SafeString:
        return usd(obj.cost_usd)

    @admin.display(description="trace")
    def trace(self, obj: Turn) -> SafeString:
        return format_html('<a href="/admin/traces/{}/#turn-{}">Trace</a>', obj.conversation_id, obj.pk)


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)

    list_display = ("created_at", "turn_id", "index", "kind", "model", "tool", "status", "duration_ms", "cost")
    list_filter = ("kind", "status", "model", "created_at")
    search_fields = ("=turn__id", "=turn__conversation__reference", "tool", "error")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step]:
        queryset: QuerySet[Step] = super().get_queryset(request)
        in_list = request.resolver_match is not None and str(request.resolver_match.url_name).endswith("changelist")
        return queryset.defer("input", "output") if in_list else queryset.select_related("turn")

    @admin.display(description="cost", ordering="cost_usd")
    def cost(self, obj: Step) -> SafeString | None:
        return usd(obj.cost_usd) if obj.cost_usd else None


@admin.register(ToolCall)
class ToolCallAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)

    list_display = ("created_at", "conversation", "tool", "condition", "duration_ms", "pages")
    list_filter = ("tool", "status", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference", "=idempotency_key", "=turn__id")
    ordering = ("-created_at",)

    @admin.display(description="status", ordering="status")
    def condition(self, obj: ToolCall) -> SafeString:
        return badge(obj.status, obj.status.replace("_", " "))

    @admin.display(description="open in")
    def pages(self, obj: ToolCall) -> SafeString:
        return conversation_pages(obj.conversation_id)


@admin.register(ConversationMemory)
class ConversationMemoryAdmin(ReadOnlyAdmin):
    list_display = ("conversation", "upto_seq", "updated_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference",)
    ordering = ("-updated_at",)
