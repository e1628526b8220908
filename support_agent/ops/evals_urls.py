"""The pages of evaluation runs."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.views import evals, evals_case, evals_run, evals_start

evals_urls = [
    path("admin/evals/", evals.run_list, name="evals"),
    path("admin/evals/export.csv", evals.run_list_csv, name="evals_csv"),
    path("admin/evals/export.json", evals.run_list_json, name="evals_json"),
    path("admin/evals/start/", evals_start.start, name="evals_start"),
    path("admin/evals/compare/", evals_run.compare, name="evals_compare"),
    path("admin/evals/cases/<path:case>/", evals_case.case_history, name="evals_case"),
    path("admin/evals/results/<uuid:eval_result_id>/", evals_case.result, name="evals_result"),
    path("admin/evals/<uuid:run_id>/", evals_run.run, name="evals_run"),
    path("admin/evals/<uuid:run_id>/export.csv", evals_run.run_csv, name="evals_run_csv"),
    path("admin/evals/<uuid:run_id>/export.json", evals_run.run_json, name="evals_run_json"),
]
