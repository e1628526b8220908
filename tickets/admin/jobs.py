"""What the workers still have to do, and what they gave up."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin
from tickets.models import Job


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "function", "queue", "due_at", "is_running", "attempts", "error")
    list_filter = ("queue", "is_running")
    search_fields = ("function", "error")
