"""How long the desk's pages take, as staff ask for them: through the whole of Django, without the network."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from support_agent.models import Turn
from support_agent.ops.questions import QUESTIONS
from tickets.models import Conversation, User

TIMES = 5
TOOL, MODEL = "track_shipment", "claude-sonnet-5-5"


@dataclass(frozen=True, slots=True)
class Timed:
    """One page: median and longest of TIMES requests after one to warm up, and what of it was this process's own CPU;
    `note` says why it was skipped."""

    page: str
    address: str
    median_ms: float | None = None
    max_ms: float | None = None
    cpu_ms: float | None = None
    queries: int | None = None
    kilobytes: int | None = None
    note: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def time_pages(staff: User) -> list[Timed]:
    """Every page of staff that shows many rows. Style sheets need not have been collected."""
    client = Client(headers={"host": "localhost"})
    client.force_login(staff)
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    logging.disable(logging.INFO)  # a line for each request
    with override_settings(STORAGES=settings.STORAGES | plain, ALLOWED_HOSTS=["localhost"], DEBUG=False):
        return [_timed(client, page, name, query) for page, name, query in _asked()]


def _asked() -> Iterator[tuple[str, str, dict[str, str]]]:
    """(what it is, the URL's name or '<name> <id>', its query)."""
    today = timezone.now().date()

    def ago(days: int) -> str:
        return (today - timedelta(days=days)).isoformat()

    for tab in ("waiting", "mine", "team", "all", "closed"):
        yield f"inbox, {tab}", "inbox", {"tab": tab}
    conversation = (
        Conversation.objects.filter(status="waiting").order_by("-last_message_at")[:1].values_list("pk", flat=True)
    )
    for pk in conversation:
        yield "inbox, a thread", f"inbox_thread {pk}", {}
    longest = Turn.objects.order_by("-step_count").values_list("conversation_id", flat=True).first()
    reference = Conversation.objects.order_by("-last_message_at").values_list("reference", flat=True).first()
    filters: dict[str, dict[str, str]] = {
        "all": {},
        "errors": {"errors": "1"},
        "a tool": {"tool": TOOL, "since": ago(7)},
        "a model, 30 days": {"model": MODEL, "since": ago(30)},
        "a topic": {"topic": "refund"},
        "a reason": {"reason": "money"},
        "dear": {"min_cost": "0.05"},
        "failed, an old day": {"state": "failed", "since": ago(60), "until": ago(60)},
        "search for a word": {"q": "refund"},
        "search for a reference": {"q": str(reference)},
        "search for an e-mail": {"q": "customer77@example.com"},
        "search for an order": {"q": "AP-000077"},
    }
    for what, query in filters.items():
        yield f"traces, {what}", "traces", query
    yield "inbox, search for a name", "inbox", {"tab": "all", "q": "Alvarez"}
    yield "a trace, the longest", f"trace {longest}", {}
    for preset in ("hour", "day", "week", "30d", "90d"):
        yield f"dashboards, {preset}", "ops", {"span": preset}
    yield "dashboards, two weeks of last month", "ops", {"from": ago(44), "to": ago(31)}
    for span in ("week", "month", "quarter"):
        yield f"axes, {span}", "evals_axes", {"span": span}
    yield "axes, quarter, a surface", "evals_axes", {"span": "quarter", "surface": "signed_in"}
    yield "controls", "ops_controls", {}
    yield "prompts", "prompts", {}
    yield "questions", "questions", {}
    for slug in QUESTIONS:
        yield f"question, {slug}", f"question {slug}", {}
    yield "report", "report", {}


def _timed(client: Client, page: str, name: str, query: dict[str, str]) -> Timed:
    name, _, argument = name.partition(" ")
    try:
        address = reverse(name, args=[argument] if argument else [])
    except NoReverseMatch:
        return Timed(page, "", note=f"there is no page {name}{' for ' + argument if argument else ''} yet")
    address += f"?{urlencode(query)}" if query else ""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    asked = len(queries)  # the next request forgets them
    if answer.status_code != 200:
        return Timed(page, address, note=f"answered {answer.status_code}")
    took, used = [], []
    for _ in range(TIMES):
        began, cpu = time.perf_counter(), time.process_time()
        client.get(address)
        used.append((time.process_time() - cpu) * 1000)
        took.append((time.perf_counter() - began) * 1000)
    return Timed(
        page,
        address,
        median_ms=round(statistics.median(took), 1),
        max_ms=round(max(took), 1),
        cpu_ms=round(statistics.median(used), 1),
        queries=asked,
        kilobytes=len(answer.content) // 1024,
    )
