"""What browsers refused, by kind."""

from __future__ import annotations

from django.contrib import admin

from support_agent.models import PolicyReport
from tickets.admin.base import ReadOnlyAdmin


@admin.register(PolicyReport)
class PolicyReportAdmin(ReadOnlyAdmin):
    list_display = ("last_seen_at", "directive", "blocked", "path", "count", "first_seen_at")
    list_filter = ("directive", "last_seen_at")
    search_fields = ("blocked", "path")
