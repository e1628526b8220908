"""Prompt versions, replays, and the evaluation cases saved from life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.forms import ModelForm, Textarea
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from support_agent.models import (
    PromptVersion,
    Replay,
    SavedCase,
)
from tickets.admin.base import ReadOnlyAdmin, RecordAdmin
from tickets.models import User

if TYPE_CHECKING:
    CaseForm = ModelForm[SavedCase]
else:  # generic only for the type checker
    CaseForm = ModelForm


@admin.register(PromptVersion)
class PromptVersionAdmin(ReadOnlyAdmin):
    """A version is never changed: another one takes its place."""

    list_display = ("name", "number", "is_active", "note", "made_by", "created_at")
    list_filter = ("name", "is_active")
    list_select_related = ("made_by",)
    search_fields = ("note", "text")
    readonly_fields = ("is_active", "activated_at")


@admin.register(Replay)
class ReplayAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "turn", "from_step", "model", "prompt_version", "state", "outcome", "cost_usd")
    list_filter = ("state", "model", "created_at")
    list_select_related = ("turn",)
    search_fields = ("=turn__id", "=turn__conversation__reference")


class SavedCaseForm(CaseForm):
    """A case that could not be run is not saved: what is wrong with it stands at its text."""

    class Meta:
        model = SavedCase
        fields = ("name", "yaml")
        widgets: ClassVar = {"yaml": Textarea(attrs={"rows": 32, "cols": 110, "class": "code", "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        from support_agent.evals.cases import load_cases  # by the form alone: every process loads the admin
        from support_agent.evals.saved import check_yaml

        cleaned = super().clean() or {}
        name, text = cleaned.get("name", ""), cleaned.get("yaml", "")
        if name and text and (problem := check_yaml(text, name)):
            self.add_error("yaml", problem)
        if name in {case.id for case in load_cases()}:
            self.add_error("name", "A case of the files has this name.")
        return cleaned


@admin.register(SavedCase)
class SavedCaseAdmin(RecordAdmin):
    form = SavedCaseForm
    list_display = ("name", "made_by", "created_at", "as_file")
    list_select_related = ("made_by",)
    search_fields = ("name", "yaml")
    readonly_fields = ("turn_page", "made_by", "as_file")

    @admin.display(description="export")
    def as_file(self, obj: SavedCase) -> SafeString:
        url = reverse("case_export", args=[obj.pk])
        return format_html('<a href="{}">{}.yaml</a>', url, obj.name)

    @admin.display(description="turn")
    def turn_page(self, obj: SavedCase) -> SafeString | str:
        if obj.turn is None:
            return "–"
        url = reverse("trace", args=[obj.turn.conversation_id])
        return format_html('<a href="{}#turn-{}">Trace</a>', url, obj.turn_id)

    def save_model(self, request: HttpRequest, obj: SavedCase, form: CaseForm, change: bool) -> None:
        if not change and isinstance(request.user, User):
            obj.made_by = request.user
        super().save_model(request, obj, form, change)
