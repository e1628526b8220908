"""What customers thought of a conversation or an answer."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin
from tickets.models import Feedback, Survey


@admin.register(Survey)
class SurveyAdmin(ReadOnlyAdmin):
    list_display = ("conversation", "state", "rating", "comment", "answered_at")
    list_filter = ("state", "rating", "answered_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference", "comment")
    ordering = ("-created_at",)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "helpful", "cause", "reason", "message")
    list_filter = ("helpful", "cause", "created_at")
    list_select_related = ("message",)
    search_fields = ("=message__conversation__reference", "reason")
    ordering = ("-created_at",)
