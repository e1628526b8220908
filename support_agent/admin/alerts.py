"""Alerts, where they go, and what was sent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from support_agent.models import (
    Alert,
    AlertDelivery,
    AlertRoute,
)
from support_agent.runtime.alert_routes import route_test
from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline, RecordAdmin
from tickets.models import User


class AlertDeliveryInline(ReadOnlyInline):
    model = AlertDelivery
    columns = ("route", "notice", "due_at", "attempts", "sent_at", "error")
    related = ("route",)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "severity", "text", "resolved_at", "acknowledged_by", "sent_at")
    list_filter = ("kind", "severity", "resolved_at", "created_at")
    list_select_related = ("acknowledged_by",)
    inlines = (AlertDeliveryInline,)
    search_fields = ("text", "=key")
    date_hierarchy = "created_at"


@admin.register(AlertRoute)
class AlertRouteAdmin(RecordAdmin):
    """A webhook's address and secret are for those who may change them, and neither is kept in the audit."""

    list_display = ("kind", "shown", "least", "quiet_from", "quiet_until", "per_hour", "is_active")
    list_display_links = ("kind", "shown")
    list_filter = ("kind", "is_active")
    search_fields = ("target",)
    actions = ("send_test",)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if self.has_change_permission(request, obj) else ("secret", "target")

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        for name in {"secret", "target"} & set(form.changed_data) if obj.kind == AlertRoute.Kind.WEBHOOK else ():
            form.initial[name] = "…" if form.initial.get(name) else ""
            form.cleaned_data[name] = "…" if form.cleaned_data.get(name) else ""
        super().save_model(request, obj, form, change)

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[AlertRoute]) -> None:
        assert isinstance(request.user, User)
        for route in queryset:
            why = route_test(route=route, staff=request.user)
            messages.add_message(request, messages.ERROR if why else messages.SUCCESS, why or f"Sent to {route}.")


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "alert", "route", "notice", "due_at", "attempts", "sent_at", "error")
    list_filter = ("sent_at", "created_at")
    list_select_related = ("alert", "route")
    search_fields = ("alert__text", "=message_id")
