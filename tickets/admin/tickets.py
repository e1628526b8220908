"""Tickets with their comments, and escalations."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.forms.models import BaseModelFormSet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tickets.admin.base import NoDeleteAdmin, ReadOnlyAdmin, TabularInline, badge, conversation_pages, trace_link
from tickets.models import Escalation, Ticket, TicketComment, User, WebhookEvent
from tickets.services.audit import audit
from tickets.services.webhooks import tell_ticket


class CommentInline(TabularInline):
    """A new one may be written; what was written stays."""

    model = TicketComment
    extra = 1
    can_delete = False
    fields = ("created_at", "author", "body", "is_public")
    readonly_fields = ("created_at", "author")
    verbose_name_plural = "comments"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketComment]:
        queryset: QuerySet[TicketComment] = super().get_queryset(request)
        return queryset.select_related("author")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Ticket)
class TicketAdmin(NoDeleteAdmin):
    list_display = (
        "number",
        "subject",
        "customer_name",
        "urgency",
        "category",
        "state",
        "team",
        "assignee",
        "created_at",
    )
    list_filter = ("status", "priority", "category", "team", "created_at")
    list_select_related = ("customer", "team", "assignee")
    search_fields = (
        "=number",
        "subject",
        "customer__email",
        "customer__name",
        "contact_email",
        "=conversation__reference",
    )
    date_hierarchy = "created_at"
    inlines = (CommentInline,)
    fields = (
        "number",
        "subject",
        "body",
        "customer",
        "contact_email",
        "conversation",
        "category",
        "priority",
        "status",
        "team",
        "assignee",
        "created_at",
    )
    readonly_fields = ("number", "subject", "body", "customer", "contact_email", "conversation", "created_at")
    autocomplete_fields = ("assignee",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="priority", ordering="priority")
    def urgency(self, obj: Ticket) -> SafeString:
        return badge(obj.priority, obj.get_priority_display())

    @admin.display(description="status", ordering="status")
    def state(self, obj: Ticket) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            tell_ticket(obj, WebhookEvent.TICKET_UPDATED)

    def save_formset(
        self, request: HttpRequest, form: ModelForm[Any], formset: BaseModelFormSet[Any, Any], change: bool
    ) -> None:
        """A comment's author is who writes it."""
        assert isinstance(request.user, User)
        for comment in formset.save(commit=False):
            comment.author = request.user
            comment.save()
            audit(
                actor=request.user, action="ticket.comment", obj=comment.ticket, changes={"comment": (None, comment.pk)}
            )
        formset.save_m2m()


@admin.register(TicketComment)
class TicketCommentAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "ticket", "author", "is_public", "body")
    list_filter = ("is_public", "created_at")
    list_select_related = ("ticket", "author")
    search_fields = ("=ticket__number", "body")


@admin.register(Escalation)
class EscalationAdmin(ReadOnlyAdmin):
    """Claimed, answered and closed in the inbox."""

    view_on_site = staticmethod(trace_link)
    list_display = ("conversation", "reason", "team", "state", "claimed_by", "created_at", "due_at", "pages")
    list_filter = ("status", "reason", "team", "created_at")
    list_select_related = ("conversation", "team", "claimed_by")
    search_fields = ("=conversation__reference", "conversation__customer__email", "summary")
    ordering = ("-created_at",)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Escalation) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    @admin.display(description="open in")
    def pages(self, obj: Escalation) -> SafeString:
        return conversation_pages(obj.conversation_id)
