"""The assistant's records in Django's admin: traces and spend are history, API keys are made and revoked here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from support_agent.chat.visitors import client_address
from support_agent.models import (
    Alert,
    ApiKey,
    ConversationMemory,
    Heartbeat,
    PromptVersion,
    Spend,
    Step,
    SurfaceLimit,
    Switch,
    Task,
    ToolCall,
    Turn,
)
from support_agent.runtime.ratelimit import allow
from tickets.access import staff_roles
from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline, RecordAdmin, badge, conversation_pages, usd
from tickets.errors import RateLimited
from tickets.models import Role, User
from tickets.services.audit import audit


class StaffSignIn(AdminAuthenticationForm):
    """The staff's sign-in, with the customers' limit: passwords cannot be tried by the thousand."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        try:
            allow("login", client_address(self.request.META))
        except RateLimited as limited:
            raise ValidationError(limited.message) from None
        return super().clean()


admin.site.login_form = StaffSignIn


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


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "text", "key")
    list_filter = ("kind", "created_at")
    search_fields = ("text", "=key")
    date_hierarchy = "created_at"


@admin.register(PromptVersion)
class PromptVersionAdmin(ReadOnlyAdmin):
    """A version is never changed: another one takes its place."""

    list_display = ("name", "number", "is_active", "note", "made_by", "created_at")
    list_filter = ("name", "is_active")
    list_select_related = ("made_by",)
    search_fields = ("note", "text")
    readonly_fields = ("is_active", "activated_at")


@admin.register(ConversationMemory)
class ConversationMemoryAdmin(ReadOnlyAdmin):
    list_display = ("conversation", "upto_seq", "updated_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference",)
    ordering = ("-updated_at",)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "__str__", "condition", "complexity", "budget_usd", "requested_by", "customer_name")
    list_filter = ("state", "complexity", "created_at")
    list_select_related = ("requested_by", "customer")
    search_fields = ("task", "=id", "customer__email", "requested_by__username")

    @admin.display(description="state", ordering="state")
    def condition(self, obj: Task) -> SafeString:
        return badge(obj.state, obj.get_state_display())


@admin.register(ApiKey)
class ApiKeyAdmin(RecordAdmin):
    """The key itself is shown once, when it is made; only its hash is kept."""

    list_display = ("name", "user", "created_at", "revoked_at")
    list_filter = ("revoked_at",)
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user",)
    readonly_fields = ("created_at", "revoked_at")
    actions = ("revoke",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A key stays its owner's; an admin may make one for somebody else, others make their own."""
        assert isinstance(request.user, User)
        may_choose = obj is None and Role.ADMIN.value in staff_roles(request.user)
        return self.readonly_fields if may_choose else ("user", *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked key stays in sight

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        if change:
            return super().save_model(request, obj, form, change)
        if obj.user_id is None:
            obj.user = request.user
        key = ApiKey.new_key()
        obj.key_hash = ApiKey.hash(key)
        super().save_model(request, obj, form, change)
        words = "The key is {}. Copy it now: it is not shown again."
        messages.warning(request, format_html(words, format_html("<code>{}</code>", key)))
        return None

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        assert isinstance(request.user, User)
        for key in queryset.filter(revoked_at=None):
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            audit(actor=request.user, action="apikey.revoke", obj=key, changes={"revoked_at": (None, key.revoked_at)})
        messages.success(request, "Revoked.")
