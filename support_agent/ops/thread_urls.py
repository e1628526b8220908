"""The addresses of one thread."""

from __future__ import annotations

from django.urls import path

from support_agent.ops.views import assist, thread

BASE = "admin/inbox/<uuid:conversation_id>/"

thread_urls = [
    path(BASE, thread.thread, name="inbox_thread"),
    path(f"{BASE}events/", thread.events, name="inbox_events"),
    path(f"{BASE}claim/", thread.claim, name="inbox_claim"),
    path(f"{BASE}reply/", thread.reply, name="inbox_reply"),
    path(f"{BASE}note/", thread.note, name="inbox_note"),
    path(f"{BASE}hand-back/", thread.hand_back, name="inbox_hand_back"),
    path(f"{BASE}close/", thread.close, name="inbox_close"),
    path(f"{BASE}actions/<uuid:action_id>/", thread.decide, name="inbox_decide"),
    path(f"{BASE}effects/<uuid:effect_id>/", thread.found_out, name="inbox_found_out"),
    path(f"{BASE}ticket/", thread.ticket, name="inbox_ticket"),
    path(f"{BASE}ticket/link/", thread.link_ticket, name="inbox_ticket_link"),
    path(f"{BASE}ticket/<uuid:ticket_id>/unlink/", thread.unlink_ticket, name="inbox_ticket_unlink"),
    path(f"{BASE}promise/", thread.promise, name="inbox_promise"),
    path(f"{BASE}promise/<uuid:promise_id>/", thread.settle, name="inbox_promise_settle"),
    path(f"{BASE}canned/", assist.canned, name="inbox_canned"),
    path(f"{BASE}mentions/", assist.mentions, name="inbox_mentions"),
    path(f"{BASE}articles/", assist.articles, name="inbox_articles"),
    path(f"{BASE}assist/<str:purpose>/", assist.ask, name="inbox_assist"),
    path(f"{BASE}assist/<uuid:task_id>/insert/", assist.insert, name="inbox_assist_insert"),
    path(f"{BASE}assist/<uuid:task_id>/discard/", assist.discard, name="inbox_assist_discard"),
]
