"""Reads of what the help centre lacks: the list, and one gap with what was asked and answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count

from support_agent.models import Gap, GapQuestion, Task
from support_agent.runtime.gap_collect import without_names
from support_agent.runtime.gap_draft import is_being_drafted, replies_to
from support_agent.runtime.gaps import gaps_counted
from tickets.models import Conversation

EXAMPLES, LISTED, SHOWN = 3, 50, 60
STATES = tuple(Gap.State)


@dataclass(frozen=True, slots=True)
class Row:
    """A gap in the list, with its most typical questions."""

    gap: Gap
    questions: list[GapQuestion] = field(default_factory=list)
    is_drafting: bool = False

    @property
    def title(self) -> str:
        return self.questions[0].text if self.questions else "A question that is gone"


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, and what staff wrote after it, without what names a person."""

    question: GapQuestion
    replies: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    row: Row
    asked: list[Answered]
    sources: list[dict[str, Any]]
    failed: str


def gap_counts() -> Mapping[str, int]:
    """How many there are of each state."""
    return dict(Gap.objects.order_by().values_list("state").annotate(number=Count("pk")))


def gap_rows(state: str, page: int) -> tuple[list[Row], bool]:
    """(a page of one state, whether more follow), by how many customers asked, then by how often and how lately."""
    found = gaps_counted().filter(state=state).select_related("article", "task__turn")
    start = (page - 1) * LISTED
    gaps = list(found[start : start + LISTED + 1])
    typical: dict[UUID, list[GapQuestion]] = defaultdict(list)
    rows = GapQuestion.objects.filter(gap__in=gaps).defer("vector").select_related("conversation")
    for row in rows.order_by("-centrality", "asked_at"):
        if len(typical[row.gap_id]) < EXAMPLES:
            typical[row.gap_id].append(row)
    return [Row(gap, typical[gap.pk], is_being_drafted(gap)) for gap in gaps[:LISTED]], len(gaps) > LISTED


def gap_page(gap_id: UUID) -> Page | None:
    """One gap, or None when there is none."""
    gap = gaps_counted().filter(pk=gap_id).select_related("article", "task__turn").first()
    if gap is None:
        return None
    questions = gap.questions.defer("vector").select_related("conversation__customer")
    asked = list(questions.order_by("-centrality", "asked_at")[:SHOWN])
    answered = [
        Answered(one, [without_names(reply.text, one.conversation, 600) for reply in replies_to(one)]) for one in asked
    ]
    row = Row(gap, asked, is_being_drafted(gap))
    return Page(row, answered, _sources(gap), _failed(gap))


def _sources(gap: Gap) -> list[dict[str, Any]]:
    """What the draft was made from, conversations by their references; those that are gone are left out."""
    ids = [source["conversation"] for source in gap.sources if source["kind"] == "reply"]
    references = {str(pk): name for pk, name in Conversation.objects.filter(pk__in=ids).values_list("pk", "reference")}
    return [
        {**source, "reference": references.get(source.get("conversation", ""), "")}
        for source in gap.sources
        if source["kind"] == "article" or source["conversation"] in references
    ]


def _failed(gap: Gap) -> str:
    """Why the last draft was not written, or nothing."""
    task = gap.task
    if task is None or task.state not in (Task.State.FAILED, Task.State.STOPPED) or gap.state != Gap.State.OPEN:
        return ""
    return task.result or "The draft could not be written."
