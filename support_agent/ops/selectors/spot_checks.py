"""What a spot check shows, and when: in step 1 nothing but what was known when the customer had written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from support_agent.models import SpotCheck, SpotLabel, Step, ToolCall
from support_agent.ops.evidence import called
from support_agent.runtime.spot_checks import spot_checks_open
from tickets.models import Article, Customer, Message, Order, Ticket, User

Json = dict[str, Any]
SAID, LISTED, EARLIER = 60, 50, 8
SHOWN = 5
SPEAKERS = (Message.Role.CUSTOMER, Message.Role.ASSISTANT, Message.Role.STAFF)


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk knew: the thread up to the customer's words, and their records of before, if it knew who wrote."""

    said: list[Message]
    is_cut: bool
    customer: Customer | None
    orders: list[Order]
    tickets: list[Ticket]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the answer, the calls it rests on, those of earlier turns, and the articles it cites."""

    answer: Message | None
    calls: list[Step]
    earlier: list[ToolCall]
    articles: list[Article]


@dataclass(frozen=True, slots=True)
class Queue:
    """`waiting` for this person, of them a page; `mine` are those they judged last; `open` is everybody's."""

    waiting: int
    checks: list[SpotCheck]
    mine: list[SpotLabel]
    open: int
    closed: int
    wrong: list[SpotLabel] = field(default_factory=list)


def known_of(check: SpotCheck) -> Known:
    """Four queries. Nothing after the customer's words, nothing of the turn itself, no state of the conversation."""
    turn = check.turn
    mine = Message.objects.filter(turn_id=turn.pk, role=Message.Role.CUSTOMER)
    upto = mine.order_by("-seq").values_list("seq", flat=True).first() or 0
    said = Message.objects.filter(conversation=turn.conversation_id, role__in=SPEAKERS, seq__lte=upto)
    said = said.exclude(turn_id=turn.pk, role=Message.Role.ASSISTANT).order_by("-seq")
    shown = list(said[: SAID + 1])
    known_from = turn.conversation.verified_at or turn.created_at
    customer = turn.conversation.customer if known_from <= turn.created_at else None
    if customer is None:
        return Known(shown[:SAID][::-1], len(shown) > SAID, None, [], [])
    orders = Order.objects.filter(customer=customer, placed_at__lt=turn.created_at).order_by("-placed_at")
    tickets = Ticket.objects.filter(customer=customer, created_at__lt=turn.created_at).order_by("-created_at")
    return Known(shown[:SAID][::-1], len(shown) > SAID, customer, list(orders[:SHOWN]), list(tickets[:SHOWN]))


def done_of(check: SpotCheck) -> Done:
    """Four queries."""
    turn = check.turn
    answer = Message.objects.filter(turn_id=turn.pk, role=Message.Role.ASSISTANT).first()
    slugs = [str(one.get("url", "")).strip("/").split("/")[-1] for one in (answer.sources if answer else [])]
    earlier = ToolCall.objects.filter(conversation=turn.conversation_id, created_at__lt=turn.created_at)
    return Done(
        answer,
        called(Step.objects.filter(turn=turn, kind="tool_call")),
        list(earlier.order_by("-created_at")[:EARLIER]),
        list(Article.objects.filter(slug__in=slugs).order_by("slug")) if slugs else [],
    )


def queue_of(staff: User, *, judges: bool, manages: bool) -> Queue:
    """Three queries for who judges, one more for who manages; nothing of a check that would give it away."""
    found = spot_checks_open(staff) if judges else SpotCheck.objects.none()
    listed = list(found.select_related("turn__conversation").defer("turn__checkpoint")[:LISTED])
    mine = SpotLabel.objects.filter(staff=staff).exclude(accuracy="") if judges else SpotLabel.objects.none()
    counts = SpotCheck.objects.aggregate(
        open=Count("pk", Q(closed_at=None)), closed=Count("pk", Q(closed_at__isnull=False))
    )
    wrong = SpotLabel.objects.filter(accuracy=SpotLabel.Accuracy.INACCURATE, spot_check__closed_at__isnull=False)
    return Queue(
        waiting=found.count() if len(listed) == LISTED else len(listed),
        checks=listed,
        mine=list(_listed(mine)),
        open=counts["open"],
        closed=counts["closed"],
        wrong=list(_listed(wrong)) if manages else [],
    )


def label_of(check: SpotCheck, staff: User) -> SpotLabel | None:
    return SpotLabel.objects.filter(spot_check=check, staff=staff).first()


def _listed(labels: Any) -> Any:
    rows = labels.select_related("spot_check__turn__conversation", "staff__staff_profile")
    return rows.defer("spot_check__turn__checkpoint").order_by("-created_at")[:20]
