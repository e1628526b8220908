"""The desk's own pages."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.axes_urls import urlpatterns as axes_urls
from support_agent.ops.blast_urls import blast_urls
from support_agent.ops.evals_urls import evals_urls
from support_agent.ops.gaps_urls import gaps_urls
from support_agent.ops.thread_urls import thread_urls
from support_agent.ops.views import (
    alerts,
    controls,
    inbox,
    inbox_deeds,
    ops,
    prompts,
    questions,
    replay,
    report,
    tickets,
    trace,
    traces,
    workspace,
)

urlpatterns = [
    path("admin/traces/", traces.trace_list, name="traces"),
    path("admin/traces/export.csv", traces.trace_list_csv, name="traces_csv"),
    path("admin/traces/export.json", traces.trace_list_json, name="traces_json"),
    path("admin/traces/steps/", traces.step_list, name="steps"),
    path("admin/traces/steps/export.csv", traces.step_list_csv, name="steps_csv"),
    path("admin/traces/steps/export.json", traces.step_list_json, name="steps_json"),
    path("admin/traces/find/<uuid:key>/", trace.find, name="trace_find"),
    path("admin/traces/<uuid:conversation_id>/", trace.trace, name="trace"),
    path("admin/traces/<uuid:conversation_id>/live/", trace.live, name="trace_live"),
    path("admin/traces/<uuid:conversation_id>/export.json", trace.trace_json, name="trace_json"),
    path("admin/traces/<uuid:conversation_id>/export.csv", trace.trace_csv, name="trace_csv"),
    path("admin/ops/questions/", questions.index, name="questions"),
    path("admin/ops/questions/<slug:slug>/", questions.question, name="question"),
    path("admin/ops/questions/<slug:slug>/export.csv", questions.question_csv, name="question_csv"),
    path("admin/ops/", ops.page, name="ops"),
    path("admin/ops/alerts/", alerts.alert_list, name="alerts"),
    path("admin/ops/alerts/<uuid:alert_id>/", alerts.alert_page, name="alert"),
    path("admin/ops/alerts/<uuid:alert_id>/acknowledge/", alerts.acknowledge, name="alert_acknowledge"),
    path("admin/ops/alerts/routes/<uuid:route_id>/test/", alerts.test_route, name="alert_route_test"),
    path("admin/ops/runbook/", alerts.runbook, name="runbook"),
    path("admin/ops/tickets/export.csv", tickets.ticket_csv, name="tickets_csv"),
    path("admin/ops/tickets/export.json", tickets.ticket_json, name="tickets_json"),
    path("admin/report/", report.page, name="report"),
    path("admin/report/export.csv", report.export_csv, name="report_csv"),
    path("admin/ops/prompts/", prompts.page, name="prompts"),
    path("admin/ops/prompts/save/", prompts.save_prompt, name="ops_prompt_save"),
    path("admin/ops/prompts/activate/", prompts.activate_prompt, name="ops_prompt_activate"),
    path("admin/ops/prompts/gate/", prompts.run_gate, name="ops_prompt_gate"),
    path("admin/ops/replays/", replay.replay_list, name="replays"),
    path("admin/ops/replays/of/<uuid:turn_id>/", replay.replay_start, name="replay_start"),
    path("admin/ops/replays/<uuid:replay_id>/", replay.replay, name="replay"),
    path("admin/ops/controls/", controls.page, name="ops_controls"),
    path("admin/ops/switch/", controls.turn_switch, name="ops_switch"),
    path("admin/ops/mode/", controls.set_mode, name="ops_mode"),
    path("admin/workspace/", workspace.page, name="workspace"),
    path("admin/workspace/shades/", workspace.shades, name="workspace_shades"),
    path("admin/workspace/shades.css", workspace.shades_css, name="workspace_shades_css"),
    path("admin/inbox/", inbox.inbox, name="inbox"),
    path("admin/inbox/list/", inbox.list_pane, name="inbox_list"),
    path("admin/inbox/assign/", inbox_deeds.assign, name="inbox_assign"),
    path("admin/inbox/next/", inbox_deeds.take_next, name="inbox_next"),
    path("admin/inbox/availability/", inbox_deeds.availability, name="inbox_availability"),
    path("admin/inbox/preferences/", inbox_deeds.preferences, name="inbox_preferences"),
    path("admin/inbox/<uuid:conversation_id>/snooze/", inbox_deeds.snooze, name="inbox_snooze"),
    path("admin/inbox/<uuid:conversation_id>/await/", inbox_deeds.await_customer, name="inbox_await"),
    *thread_urls,
    *axes_urls,
    *evals_urls,
    *blast_urls,
    *gaps_urls,
]
