"""The lead's report: a month or any span, by team and person, how conversations came out, what had no answer."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.ops.exports import csv_file
from support_agent.ops.gates import READERS, staff_of, staff_only
from support_agent.ops.periods import Period
from support_agent.ops.report import duration_minutes, headline
from support_agent.ops.selectors.unanswered import Topic, unanswered
from tickets.access import staff_roles
from tickets.models import Role, User
from tickets.selectors.article_feedback import unhelpful_articles
from tickets.selectors.report import Outcome, Report, Row, report_of

SEE_ALL = (Role.LEAD, Role.OPS, Role.ADMIN)
CSV_HEAD = (
    "group",
    "name",
    "conversations handled",
    "first reply median (min)",
    "first reply p90 (min)",
    "handling median (min)",
    "sla kept (%)",
    "sla of",
    "csat",
    "ratings",
    "reopened",
    "resolved, confirmed",
    "resolved, assumed",
)


@require_GET
@staff_only(*READERS)
def page(request: HttpRequest) -> HttpResponse:
    """Leads, ops and admins see everybody; an agent their own line."""
    period, only = Period.read(request.GET), _only(staff_of(request))
    now = report_of(period.start, period.end, only=only)
    before = report_of(period.before_start, period.before_end, only=only)
    return render(
        request,
        "ops/report/page.html",
        {
            "desk_page": "report",
            "title": "My report" if only else "Report",
            "period": period,
            "only": only,
            "figures": headline(now, before, mine=only is not None),
            "report": now,
            "before": {row.key: row for row in [*before.teams, *before.people]},
            "outcomes": [(now.with_person, before.with_person), (now.alone, before.alone)],
            "topics": [] if only else unanswered(period.start, period.end),
            "unhelpful": [] if only else unhelpful_articles(period.start, period.end),
        },
    )


@require_GET
@staff_only(*READERS)
def export_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The tables of the page; no words of customers."""
    period, only = Period.read(request.GET), _only(staff_of(request))
    found = report_of(period.start, period.end, only=only)
    topics = [] if only else unanswered(period.start, period.end)
    rows = _csv(found, topics, "mine" if only else "everybody")
    return csv_file(f"report-{period.first}-{period.last}.csv", CSV_HEAD, rows)


def _only(staff: User) -> User | None:
    """An agent, who sees what is theirs; None for those who see everybody."""
    return None if staff_roles(staff) & {role.value for role in SEE_ALL} else staff


def _csv(found: Report, topics: list[Topic], whose: str) -> Iterator[tuple[object, ...]]:
    yield _line(whose, found.total)
    for row in found.teams:
        yield _line("team", row)
    for row in found.people:
        yield _line("person", row)
    for outcome in (found.with_person, found.alone):
        yield _outcome_line(outcome)
    for topic in topics:
        yield ("unanswered", topic.name, topic.count)


def _line(group: str, row: Row) -> tuple[object, ...]:
    return (
        group,
        row.name,
        row.handled,
        duration_minutes(row.first_reply),
        duration_minutes(row.first_reply_p90),
        duration_minutes(row.handling),
        "" if row.sla is None else round(row.sla * 100, 1),
        row.sla_of,
        "" if row.csat is None else round(row.csat, 2),
        row.ratings,
        row.reopened,
    )


def _outcome_line(outcome: Outcome) -> tuple[object, ...]:
    csat = "" if outcome.csat is None else round(outcome.csat, 2)
    kinds = (outcome.revoked, outcome.confirmed, outcome.assumed)
    return ("outcome", outcome.name, "", "", "", "", "", "", csat, outcome.ratings, *kinds)
