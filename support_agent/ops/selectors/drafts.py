"""What became of drafts, summed by everything the page groups by; and examples of those that staff did not send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncWeek

from support_agent.models import Draft
from support_agent.ops.spans import Span
from support_agent.privacy.blank import ERASED
from support_agent.runtime.assists import assists_shown
from support_agent.runtime.likeness import Piece, difference

NEARLY = 0.85
"""From this similarity on, what was sent is nearly the draft: one word in seven changed at most."""
USABLE = Q(outcome=Draft.Outcome.SENT) | Q(outcome=Draft.Outcome.CHANGED, similarity__gte=NEARLY)
DIMENSIONS = {
    "week": "week",
    "surface": "surface",
    "topic": "task__turn__topic",
    "subject": "subject",
    "language": "language",
    "prompt": "task__turn__prompt_version",
    "model": "model",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A draft beside what was sent instead, word by word."""

    draft: Draft
    pieces: Sequence[Piece]


def draft_sums(span: Span, surface: str = "") -> list[dict[str, Any]]:
    """Rows {week, …, outcome, why, no_draft, number, usable, cost, words, likeness} of drafts begun in the span.

    `words` and `likeness` are sums over those that something was sent from, or in place of. One query."""
    rows = _of(span, surface).annotate(week=TruncWeek("created_at"))
    measured = Q(similarity__isnull=False)
    return list(
        rows.order_by()
        .values(*DIMENSIONS.values(), "outcome", "why", "no_draft")
        .annotate(
            number=Count("pk"),
            usable=Count("pk", filter=USABLE),
            cost=Sum("task__turn__cost_usd"),
            words=Sum("words_changed", filter=measured),
            likeness=Sum("similarity", filter=measured),
        )
    )


def draft_examples(span: Span, surface: str, topic: str, *, limit: int = 2) -> list[Example]:
    """Of one topic, the least alike first: drafts that were changed much or passed over, with what was sent."""
    replaced = [Draft.Outcome.CHANGED, Draft.Outcome.IGNORED]
    found = _of(span, surface).filter(outcome__in=replaced, task__turn__topic=topic, similarity__lt=NEARLY)
    found = found.exclude(task__result="").exclude(sent__text=ERASED).filter(sent__isnull=False)
    found = found.select_related("task__turn", "task__about", "sent").order_by("similarity", "-created_at")
    drafts = list(found[:limit])
    shown = {one.task.pk: one.text for one in assists_shown(draft.task for draft in drafts)}
    return [Example(one, difference(shown[one.task_id], one.sent.text)) for one in drafts if one.sent]


def _of(span: Span, surface: str) -> QuerySet[Draft]:
    drafts = Draft.objects.filter(created_at__gte=span.start, created_at__lt=span.end)
    return drafts.filter(surface=surface) if surface else drafts
