"""Actions: what the assistant proposed and the customer decided. A decision is history."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, badge, conversation_pages, trace_link
from tickets.models import Action


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
