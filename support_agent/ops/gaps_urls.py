"""The pages of what the help centre lacks."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.views import gaps

gaps_urls = [
    path("admin/gaps/", gaps.gap_list, name="gaps"),
    path("admin/gaps/<uuid:gap_id>/", gaps.gap, name="gap"),
    path("admin/gaps/<uuid:gap_id>/draft/", gaps.draft, name="gap_draft"),
    path("admin/gaps/<uuid:gap_id>/settle/", gaps.settle, name="gap_settle"),
]
