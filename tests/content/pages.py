"""Every page that may show stored text: the addresses of all routes, with the values of a World in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import django_rq
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from support_agent.models import (
    Alert,
    AlertRoute,
    BlastRadius,
    EvalResult,
    EvalRun,
    Gap,
    McpServer,
    McpTool,
    Replay,
    SavedCase,
    SpotCheck,
    Task,
    Turn,
)
from support_agent.ops.questions import QUESTIONS
from tests.content.browse import HOST, Shown
from tests.content.world import WORD, World
from tickets.models import Action, Article, Attachment, Effect, Promise, Return, Ticket, User

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
ASKING = {  # pages that show what was asked of them, or more when asked
    "/admin/traces/": "q", "/admin/inbox/": "q", "/help/": "q", "/demo/mail/": "to", "/account/login/": "next",
    "/help/suggest/": "q",
    "/admin/login/": "next", "/admin/traces/steps/": "tool", "/chat/back/": "token", "/admin/ops/alerts/": "kind",
    "/admin/evals/": "suite", "/admin/evals/start/": "suite",
}  # fmt: skip
LISTS = {
    "/admin/inbox/": ("tab=all", "tab=waiting", "tab=closed"), "/help/": (f"q={WORD}",),
    "/help/suggest/": (f"q={WORD}",), "/admin/ops/prompts/": ("prompt=planner",),
}  # fmt: skip


def routes(patterns: Any = None, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        else:
            yield route, entry


def addresses(world: World, at: int = 0) -> Iterator[str]:
    """One address of each route, with the values of one set; a parameter nobody knows is an error of the test."""
    conversation = world.conversations[at]
    values: dict[str, object] = {
        "conversation_id": conversation.pk,
        "key": Turn.objects.get(conversation=conversation).pk,
        "turn_id": Turn.objects.get(conversation=conversation).pk,
        "slug": Article.objects.all()[at].slug,
        "purpose": "summary",
        "category": "product",
        "id": world.rows[User][-1].pk,
        "queue_index": 0,
        "number": Return.objects.all()[at].number,
        "job_id": job(world.planter.payloads),
        "case": EvalResult.objects.all()[at].case,
        **{f"{name}_id": model._default_manager.all()[at].pk for name, model in IDS.items()},
    }
    for route, pattern in routes():
        if "/workers/" in route or "(?P" in route or route.endswith("$") or set(PARAMETER.findall(route)) & ELSEWHERE:
            continue
        if "mcp" in route:
            values["pk"] = (McpServer if "mcpserver" in route else McpTool).objects.all()[at].pk
        if "object_id" in route:
            model = model_of(pattern)
            if model not in world.rows:
                continue
            rows = world.rows[model]
            values["object_id"] = rows[min(at, len(rows) - 1)].pk
        if "<slug:slug>" in route and "questions" in route:
            yield from (route.replace("<slug:slug>", slug) for slug in QUESTIONS)
            continue
        address = PARAMETER.sub(lambda found: quote(str(values[found[1]]), safe=""), route)
        yield address
        yield from (f"{address}?{query}" for query in LISTS.get(route, ()))
        if route in ASKING:
            yield from (f"{address}?{ASKING[route]}={quote(payload)}" for payload in world.planter.payloads[at::140])


IDS: dict[str, type[models.Model]] = {
    "alert": Alert, "route": AlertRoute, "replay": Replay, "radius": BlastRadius, "case": SavedCase,
    "action": Action, "ticket": Ticket, "promise": Promise, "task": Task, "attachment": Attachment,
    "check": SpotCheck, "run": EvalRun, "eval_result": EvalResult, "gap": Gap, "effect": Effect, "user": User,
}  # fmt: skip
ELSEWHERE = {  # no text of ours: bundled scripts, admin's own redirects, django-rq's results, workers and schedulers
    "url", "content_type_id", "result_id", "scheduler_index", "connection_index", "scheduler_name", "cron_job_name",
    "token", "digest", "factor_id",
}  # fmt: skip


def model_of(pattern: URLPattern) -> type[models.Model]:
    """The model of an address of Django's admin."""
    view: Any = pattern.callback
    found: type[models.Model] = view.model_admin.model
    return found


def job(payloads: list[str]) -> str:
    """A waiting job whose name, arguments and error are payloads."""
    queue = django_rq.get_queue("default", commit_mode="auto")
    queue.empty()  # type: ignore[no-untyped-call]
    found = queue.enqueue(
        "tickets.jobs.announce_escalation", payloads[0], text="\n".join(payloads), description=payloads[3]
    )
    return str(found.id)


def shown(client: Client, paths: Iterable[str]) -> Iterator[Shown]:
    """Those of the addresses that answer with a page; not data, redirects and deeds."""
    for path in dict.fromkeys(paths):
        answer = client.get(path, headers={"host": HOST})
        is_page = answer.headers.get("Content-Type", "").startswith("text/html") and "Location" not in answer.headers
        if is_page and answer.content and answer.status_code != 405:
            yield Shown(path, client, answer)
