"""Outgoing webhooks: who is told of what, each delivery, and sending again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, RecordAdmin, badge
from tickets.models import User, Webhook, WebhookDelivery, WebhookEvent
from tickets.models.webhooks import new_secret
from tickets.services.webhooks import deliveries_replay, webhook_test

if TYPE_CHECKING:
    WebhookModelForm = forms.ModelForm[Webhook]
else:
    WebhookModelForm = forms.ModelForm


FIELDS = ("name", "url", "secret", "events", "with_details", "is_active")


class WebhookForm(WebhookModelForm):
    events = forms.MultipleChoiceField(choices=WebhookEvent.choices, widget=forms.CheckboxSelectMultiple)
    secret = forms.CharField(
        required=False,
        max_length=120,
        widget=AdminTextInputWidget,
        help_text="Signs each call (docs/webhooks.md). Left empty, one is made; a new one holds from the next call on.",
    )

    def clean_secret(self) -> str:
        return self.cleaned_data["secret"].strip() or new_secret()


@admin.register(Webhook)
class WebhookAdmin(RecordAdmin):
    """The address and the secret are for those who may change them, and neither is kept in the audit."""

    form = WebhookForm
    list_display = ("name", "state", "failing_since", "host", "told")
    list_filter = ("is_active", "with_details")
    search_fields = ("name", "url")
    actions = ("send_test",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        hidden = () if self.has_change_permission(request, obj) else ("secret", "url")
        return tuple(name for name in FIELDS if name not in hidden)

    @admin.display(description="address", ordering="url")
    def host(self, obj: Webhook) -> str:
        """Of an address, only the host: what follows it may be secret."""
        return urlsplit(obj.url).hostname or ""

    @admin.display(description="events")
    def told(self, obj: Webhook) -> str:
        return ", ".join(obj.events)

    @admin.display(description="state")
    def state(self, obj: Webhook) -> SafeString:
        if not obj.is_active:
            return badge("closed", "Off")
        return badge("failed", f"Failing, {obj.failures} in a row") if obj.failures else badge("active", "Well")

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        for name in {"secret", "url"} & set(form.changed_data):
            form.initial[name] = "…" if form.initial.get(name) else ""
            form.cleaned_data[name] = "…" if form.cleaned_data.get(name) else ""
        obj.failures, obj.failing_since, obj.paused_until = 0, None, None  # what was changed deserves a fresh try
        super().save_model(request, obj, form, change)

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        assert isinstance(request.user, User)
        for webhook in queryset:
            webhook_test(webhook=webhook, staff=request.user)
        messages.success(request, "On its way: how it went is written with the deliveries.")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "how", "type", "webhook", "attempts", "status", "error", "sent_at")
    list_filter = ("state", "webhook", "type", "created_at")
    list_select_related = ("webhook",)
    search_fields = ("=event_id", "=conversation__reference", "=ticket__number")
    date_hierarchy = "created_at"
    actions = ("send_again",)

    @admin.display(description="state", ordering="state")
    def how(self, obj: WebhookDelivery) -> SafeString:
        return badge({"sent": "active"}.get(obj.state, obj.state), obj.get_state_display())

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tickets.change_webhook")

    @admin.action(description="Send again", permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        assert isinstance(request.user, User)
        number = deliveries_replay(delivery_ids=queryset.values_list("pk", flat=True), staff=request.user)
        messages.success(request, f"{number} on their way again, under their old ids.")
