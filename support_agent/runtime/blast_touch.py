"""Which past turns a change touches, and which of them are taken again: drawn evenly over what they were about, how
they went and where they ended.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Avg, Exists, OuterRef, QuerySet
from django.utils import timezone

from support_agent.agent.toolkit import ToolContext
from support_agent.agent.types import StepKind
from support_agent.models import BlastRadius, Step, ToolCall, Turn
from support_agent.runtime.blast_change import SEARCH, is_otherwise
from support_agent.tools import ALL
from tickets.models import Conversation
from tickets.services.article_drafts import as_if_saved

Json = dict[str, Any]
MOST_SEARCHES = 500  # different ones, the newest
AT_ONCE = 20  # searches under a draft in one transaction: whoever saves an article waits for it
DRAWN_FROM = 5000
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Touched:
    """`total` turns are touched, `drawn` are those to be taken again, newest first of each kind."""

    total: int
    drawn: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a radius will come to, before it begins: `turns` that are touched (for an article those that have found it
    already; others may join), the mean cost of one, and of all that are taken again; USD."""

    turns: int
    again: int
    each_usd: Decimal
    total_usd: Decimal


def touched_by(radius: BlastRadius) -> Touched:
    """Look for them; for an article every search of the time is made twice, with and without the draft."""
    turns = _touched(radius)
    rows = list(turns.order_by("-created_at").values_list("pk", "topic", "state", "path")[:DRAWN_FROM])
    total = len(rows) if len(rows) < DRAWN_FROM else turns.count()
    return Touched(total, drawn(rows, radius.most))


def estimate(radius: BlastRadius) -> Estimate:
    """Two queries; `radius` need not be saved."""
    if radius.kind == BlastRadius.Kind.ARTICLE:
        found = [{"url": f"/help/{radius.draft.get('slug', '')}/"}]
        turns = _with_call(_past(radius.days), SEARCH, result__results__contains=found)
    else:
        turns = _touched(radius)
    count = turns.count()
    # An article that nobody has found yet may be found by any: as dear as any.
    of = turns if count else _past(radius.days)
    each = Decimal(of.aggregate(each=Avg("cost_usd"))["each"] or 0)
    again = min(count, radius.most)
    return Estimate(count, again, each, each * (again or radius.most))


def drawn(rows: Iterable[tuple[UUID, str, str, str]], most: int) -> list[UUID]:
    """One of each kind after the other, of each the newest first; a kind is a topic, an outcome and a path."""
    kinds: dict[tuple[str, str, str], deque[UUID]] = defaultdict(deque)
    for turn, topic, outcome, path in rows:
        kinds[topic, outcome, path].append(turn)
    found: list[UUID] = []
    while kinds and len(found) < most:
        for kind in list(kinds):
            found.append(kinds[kind].popleft())
            if not kinds[kind]:
                del kinds[kind]
    return found[:most]


def _past(days: int) -> QuerySet[Turn]:
    """Turns with customers that ended by themselves, and whose steps are still there to be compared."""
    remembered = Step.objects.filter(turn=OuterRef("pk")).exclude(output={})
    return Turn.objects.filter(
        Exists(remembered),
        created_at__gte=timezone.now() - timedelta(days=days),
        state__in=[Turn.State.ANSWERED, Turn.State.ESCALATED],
        stop_requested="",
    ).exclude(conversation__channel=Conversation.Channel.TASK)


def _with_call(turns: QuerySet[Turn], tool: str, **result: Any) -> QuerySet[Turn]:
    return turns.filter(Exists(ToolCall.objects.filter(turn=OuterRef("pk"), tool=tool, **result)))


def _touched(radius: BlastRadius) -> QuerySet[Turn]:
    past = _past(radius.days)
    match radius.kind:
        case BlastRadius.Kind.ARTICLE:
            return past.filter(pk__in=_by_article(past, radius.draft))
        case BlastRadius.Kind.TOOL:
            return _with_call(past, radius.tool)
    name = radius.prompt.name if radius.prompt else ""
    kind = {"planner": StepKind.PLAN, "memory": StepKind.COMPRESS}.get(name, StepKind.MODEL_CALL)
    return past.filter(Exists(Step.objects.filter(turn=OuterRef("pk"), kind=kind.value).exclude(model="")))


def _by_article(past: QuerySet[Turn], draft: Json) -> list[UUID]:
    """The turns one of whose searches would find something else because of the draft."""
    calls = ToolCall.objects.filter(tool=SEARCH, turn__in=past).order_by("-created_at")
    asked: dict[tuple[str, str, str, str], list[UUID]] = {}
    of_plan: dict[str, UUID | None] = {"": None}  # somebody of each plan: who asks decides what is found
    customer = ("conversation__customer__plan", "conversation__customer_id")
    for turn, arguments, locale, plan, who in calls.values_list(
        "turn_id", "arguments", "conversation__locale", *customer
    ).iterator():
        of_plan.setdefault(plan or "", who)
        key = (str(arguments.get("query", "")), str(arguments.get("category") or ""), locale, plan or "")
        if key in asked or len(asked) < MOST_SEARCHES:
            asked.setdefault(key, []).append(turn)
    now = [_search(*key, of_plan) for key in asked]
    then: list[Json] = []
    for start in range(0, len(asked), AT_ONCE):
        with as_if_saved(draft):
            then += [_search(*key, of_plan) for key in list(asked)[start : start + AT_ONCE]]
    hit = [key for key, one, other in zip(asked, now, then, strict=True) if is_otherwise(one, other, draft["slug"])]
    return list(dict.fromkeys(turn for key in hit for turn in asked[key]))


def _search(query: str, category: str, locale: str, plan: str, of_plan: Mapping[str, UUID | None]) -> Json:
    """As the tool answers; nothing for arguments it would not take."""
    tool = ALL[SEARCH]
    try:
        arguments = tool.arguments.model_validate({"query": query, "category": category or None})
    except ValueError:
        return {}
    context = ToolContext(
        conversation_id=_NOBODY, turn_id=_NOBODY, customer_id=of_plan[plan], locale=locale, idempotency_key=""
    )
    return tool.run(context, arguments).as_json()
