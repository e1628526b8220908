"""The pages of blast radii."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.views import blast

blast_urls = [
    path("admin/evals/blast/", blast.radius_list, name="blast"),
    path("admin/evals/blast/new/", blast.radius_new, name="blast_new"),
    path("admin/evals/blast/draft/", blast.draft, name="blast_draft"),
    path("admin/evals/blast/<uuid:radius_id>/", blast.radius, name="blast_radius"),
    path("admin/evals/blast/<uuid:radius_id>/stop/", blast.stop, name="blast_stop"),
]
