"""Background tasks, and the API keys that may ask for them: made and revoked here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from support_agent.models import (
    ApiKey,
    Task,
)
from tickets.access import staff_roles
from tickets.admin.base import ReadOnlyAdmin, RecordAdmin, badge, trace_link
from tickets.models import Role, User
from tickets.services.audit import audit


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)

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
