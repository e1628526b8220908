"""The workspace's row, to look at: /admin/workspace/ changes it."""

from __future__ import annotations

from django.contrib import admin

from tickets.admin.base import ReadOnlyAdmin
from tickets.models import Workspace


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "website", "time_zone", "currency")
    search_fields = ("name",)
