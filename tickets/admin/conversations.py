"""Conversations and what was said in them: read here, answered in the inbox."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline, badge, conversation_pages, trace_link
from tickets.models import Action, Attachment, Conversation, Escalation, Event, Message, Promise, Verification


class MessageInline(ReadOnlyInline):
    model = Message
    columns = ("seq", "created_at", "role", "author", "text")
    ordering = ("seq",)


class EscalationInline(ReadOnlyInline):
    model = Escalation
    columns = ("reason", "team", "status", "claimed_by", "due_at", "ended_at")
    related = ("team", "claimed_by")


class ActionInline(ReadOnlyInline):
    model = Action
    columns = ("summary", "tool", "state", "decided_at", "decided_by")
    related = ("decided_by",)


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)
    list_display = (
        "reference",
        "customer_name",
        "state",
        "topic",
        "channel",
        "team",
        "assignee",
        "last_message_at",
        "pages",
    )
    list_filter = ("status", "channel", "identity", "team", "last_message_at")
    list_select_related = ("customer", "team", "assignee")
    search_fields = ("=reference", "customer__email", "customer__name", "contact_email", "topic")
    date_hierarchy = "last_message_at"
    inlines = (MessageInline, EscalationInline, ActionInline)
    fieldsets = (
        (None, {"fields": ("reference", "pages", "status", "topic", "channel", "locale", "team", "assignee")}),
        ("Customer", {"fields": ("customer", "identity", "verified_at", "contact_email")}),
        ("Times", {"fields": ("created_at", "last_message_at", "closed_at", "continued_from", "last_seq", "metadata")}),
    )
    readonly_fields = ("reference", "pages", "created_at", "last_seq")

    @admin.display(description="status", ordering="status")
    def state(self, obj: Conversation) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    @admin.display(description="open in")
    def pages(self, obj: Conversation) -> SafeString:
        return conversation_pages(obj.pk)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    view_on_site = staticmethod(trace_link)
    list_display = ("created_at", "conversation", "role", "author", "__str__")
    list_filter = ("role", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference", "conversation__customer__email", "text")
    ordering = ("-created_at",)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("conversation", "seq", "type", "created_at")
    list_filter = ("type", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference",)
    ordering = ("-id",)


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """The code itself is nowhere; its hash is of no use to staff."""

    list_display = ("conversation", "email", "customer_name", "state", "attempts", "expires_at")
    list_filter = ("state", "created_at")
    list_select_related = ("conversation", "customer")
    search_fields = ("=conversation__reference", "email")


@admin.register(Promise)
class PromiseAdmin(ReadOnlyAdmin):
    list_display = ("text", "conversation", "kind", "made_by", "due_at", "state")
    list_filter = ("state", "kind", "due_at")
    list_select_related = ("conversation", "made_by")
    search_fields = ("=conversation__reference", "text")


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ("name", "conversation", "content_type", "size", "created_at")
    list_filter = ("content_type", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference", "name")
    exclude = ("file",)
    ordering = ("-created_at",)
