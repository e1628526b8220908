"""Actions: what the assistant proposed and the customer decided. A decision is history, and so is what it did in
another system."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, badge, conversation_pages, trace_link
from tickets.models import Action, Effect


@admin.register(Action)
class ActionAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)
    list_display = ("summary", "customer_name", "tool", "condition", "created_at", "decided_at", "decided_by", "pages")
    list_filter = ("state", "tool", "created_at")
    list_select_related = ("customer", "decided_by")
    search_fields = ("summary", "=conversation__reference", "customer__email", "=idempotency_key")
    exclude = ("undo_data",)

    @admin.display(description="state", ordering="state")
    def condition(self, obj: Action) -> SafeString:
        return badge(obj.state, obj.get_state_display())

    @admin.display(description="open in")
    def pages(self, obj: Action) -> SafeString:
        return conversation_pages(obj.conversation_id)


@admin.register(Effect)
class EffectAdmin(ReadOnlyAdmin):
    list_display = ("action", "kind", "condition", "attempts", "last_error", "sent_at", "settled_at", "pages")
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("action",)
    search_fields = ("=key", "action__summary", "=action__conversation__reference", "action__customer__email")

    @admin.display(description="state", ordering="state")
    def condition(self, obj: Effect) -> SafeString:
        return badge(obj.state, obj.get_state_display())

    @admin.display(description="open in")
    def pages(self, obj: Effect) -> SafeString:
        return conversation_pages(obj.action.conversation_id)
