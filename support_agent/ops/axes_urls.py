"""The addresses of the axes, of measured drafts and of spot checks."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.views import axes, drafts, spot_checks

urlpatterns = [
    path("admin/evals/axes/", axes.page, name="evals_axes"),
    path("admin/evals/axes/turns/", axes.turns, name="axes_turns"),
    path("admin/evals/drafts/", drafts.page, name="drafts"),
    path("admin/evals/drafts/export.csv", drafts.export_csv, name="drafts_csv"),
    path("admin/evals/spot-checks/", spot_checks.queue, name="spot_checks"),
    path("admin/evals/spot-checks/next/", spot_checks.following, name="spot_check_next"),
    path("admin/evals/spot-checks/<uuid:check_id>/", spot_checks.check, name="spot_check"),
]
