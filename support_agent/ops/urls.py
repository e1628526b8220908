"""The desk's own pages. `/admin/evals/` joins them later."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.views import inbox, ops, traces

urlpatterns = [
    path("admin/traces/", traces.trace_list, name="traces"),
    path("admin/traces/export.csv", traces.trace_list_csv, name="traces_csv"),
    path("admin/traces/<uuid:conversation_id>/", traces.trace, name="trace"),
    path("admin/traces/<uuid:conversation_id>/export.json", traces.trace_json, name="trace_json"),
    path("admin/ops/", ops.page, name="ops"),
    path("admin/ops/switch/", ops.turn_switch, name="ops_switch"),
    path("admin/ops/prompts/save/", ops.save_prompt, name="ops_prompt_save"),
    path("admin/ops/prompts/activate/", ops.activate_prompt, name="ops_prompt_activate"),
    path("admin/inbox/", inbox.inbox, name="inbox"),
    path("admin/inbox/<uuid:conversation_id>/", inbox.thread, name="inbox_thread"),
    path("admin/inbox/<uuid:conversation_id>/claim/", inbox.claim, name="inbox_claim"),
    path("admin/inbox/<uuid:conversation_id>/reply/", inbox.reply, name="inbox_reply"),
    path("admin/inbox/<uuid:conversation_id>/hand-back/", inbox.hand_back, name="inbox_hand_back"),
    path("admin/inbox/<uuid:conversation_id>/close/", inbox.close, name="inbox_close"),
    path("admin/inbox/<uuid:conversation_id>/actions/<uuid:action_id>/", inbox.decide, name="inbox_decide"),
]
