"""What the help centre lacks. Worked on at /admin/gaps/; here it is looked up."""

from __future__ import annotations

from django.contrib import admin

from support_agent.models import Gap, GapQuestion
from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline


class QuestionInline(ReadOnlyInline):
    model = GapQuestion
    columns = ("text", "why", "asked_at")


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "article", "created_at", "settled_at")
    list_filter = ("state", "is_back", "created_at")
    list_select_related = ("article",)
    search_fields = ("questions__text", "article__title")
    inlines = (QuestionInline,)


@admin.register(GapQuestion)
class GapQuestionAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "text", "why", "gap", "conversation")
    list_filter = ("why", "asked_at")
    list_select_related = ("gap", "conversation")
    search_fields = ("text", "=conversation__reference")
    exclude = ("vector",)
