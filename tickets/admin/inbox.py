"""What staff keep among themselves: notes, canned replies, reading marks; and how conversations came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin, RecordAdmin
from tickets.models import CannedReply, Mention, Note, ReadMark, Resolution, ThreadLink
from tickets.services.canned import PLACEHOLDERS, unknown_placeholders


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "conversation", "author", "__str__")
    list_filter = ("created_at",)
    list_select_related = ("conversation", "author")
    search_fields = ("=conversation__reference", "text", "author__username")
    ordering = ("-created_at",)


@admin.register(Mention)
class MentionAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "note", "read_at")
    list_filter = ("read_at", "created_at")
    list_select_related = ("user", "note")
    search_fields = ("user__username", "note__text")


if TYPE_CHECKING:
    ModelForm = forms.ModelForm[CannedReply]
else:  # generic only for the type checker
    ModelForm = forms.ModelForm


class CannedReplyForm(ModelForm):
    """Refuses placeholders that would never be filled."""

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        if unknown := unknown_placeholders(text):
            listed = ", ".join(f"{{{name}}}" for name in unknown)
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise forms.ValidationError(f"Nothing fills {listed}. There are {known}.")
        return text


@admin.register(CannedReply)
class CannedReplyAdmin(RecordAdmin):
    form = CannedReplyForm
    list_display = ("shortcut", "title", "team")
    list_filter = ("team",)
    list_select_related = ("team",)
    search_fields = ("shortcut", "title", "text")


@admin.register(ReadMark)
class ReadMarkAdmin(ReadOnlyAdmin):
    list_display = ("user", "conversation", "seq")
    list_select_related = ("user", "conversation")
    search_fields = ("=conversation__reference", "user__username")
    ordering = ("-id",)


@admin.register(Resolution)
class ResolutionAdmin(ReadOnlyAdmin):
    list_display = ("conversation", "kind", "staff", "at", "revoked_at")
    list_filter = ("kind", "at", "revoked_at")
    list_select_related = ("conversation", "staff")
    search_fields = ("=conversation__reference", "staff__username")


@admin.register(ThreadLink)
class ThreadLinkAdmin(ReadOnlyAdmin):
    """The link itself is nowhere; its hash is of no use to staff."""

    list_display = ("conversation", "email", "created_at", "expires_at", "used_at")
    list_filter = ("created_at", "used_at")
    list_select_related = ("conversation",)
    search_fields = ("=conversation__reference", "email")
