"""Mails of the demo."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin
from tickets.models import DemoMail


@admin.register(DemoMail)
class DemoMailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "to", "subject", "sender", "reply_to")
    search_fields = ("to", "subject")
