"""The inbox's filters as they stand in its address, for bookmarks. What cannot be read counts as not given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from support_agent.ops.selectors.filters import TraceFilter
from tickets.models import Conversation, Escalation, EscalationReason, Message, Plan, Promise, ReadMark, User
from tickets.services.conversations import CONNECTED

OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]
Status = Conversation.Status
OWED = [Promise.State.OPEN, Promise.State.MISSED]
WITH_PEOPLE = [Status.WAITING, Status.HUMAN]
TABS = {"waiting": "Waiting", "mine": "Mine", "team": "Team", "all": "All", "closed": "Closed"}
STATES = {
    "waiting": "Waiting",
    "human": "With staff",
    "ai": "With the assistant",
    "snoozed": "Snoozed",
    "awaits": "Waiting for the customer",
}
MINE, NOBODY = "me", "nobody"
LAST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """`q` is what the traces' search takes; `assignee` is me, nobody or a member of staff's id."""

    tab: str = "waiting"
    q: str = ""
    state: str = ""
    team: str = ""
    reason: str = ""
    plan: str = ""
    assignee: str = ""
    connected: bool = False
    unread: bool = False
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> InboxFilter:
        page = query.get("page", "")
        return cls(
            tab=_one_of(query.get("tab", ""), TABS) or "waiting",
            q=TraceFilter.read({"q": query.get("q", "")}).q,
            state=_one_of(query.get("state", ""), STATES),
            team=query.get("team", "").replace("\x00", "")[:50],
            reason=_one_of(query.get("reason", ""), EscalationReason.values),
            plan=_one_of(query.get("plan", ""), Plan.values),
            assignee=_somebody(query.get("assignee", "")),
            connected=bool(query.get("connected")),
            unread=bool(query.get("unread")),
            page=min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
        )

    @property
    def narrows(self) -> int:
        """How many filters are set, the search apart."""
        return sum(
            map(bool, (self.state, self.team, self.reason, self.plan, self.assignee, self.connected, self.unread))
        )

    def as_query(self, **other: Any) -> str:
        """The filter as a query string with some fields put otherwise; always names its tab, page 1 is left out."""
        put = replace(self, **{"page": 1, **other})
        values = {name: getattr(put, name) for name in put.__slots__}
        given = {name: "1" if value is True else str(value) for name, value in values.items() if value}
        if put.page == 1:
            given.pop("page", None)
        return urlencode(given)

    def of_tab(self, tab: str) -> str:
        return self.as_query(tab=tab)

    def of_page(self, page: int) -> str:
        return self.as_query(page=page)


def with_deadlines(now: datetime) -> QuerySet[Conversation]:
    """Customers' conversations with the open escalation's `due` and `first_reply_at`, the next open promise's
    `promised_at` where people are at it, and whether each is `parked`."""
    owed = Promise.objects.filter(conversation=OuterRef("pk"), state__in=OWED).exclude(kind=Promise.Kind.REPLY)
    return (
        Conversation.objects.exclude(channel=Conversation.Channel.TASK)
        .alias(pending=FilteredRelation("escalations", condition=Q(escalations__status__in=OPEN)))
        .annotate(
            due=F("pending__due_at"),
            first_reply_at=F("pending__first_reply_at"),
            promised_at=Case(
                When(status__in=WITH_PEOPLE, then=Subquery(owed.order_by("due_at").values("due_at")[:1])),
                default=Value(None),
                output_field=DateTimeField(),
            ),
            parked=Q(snoozed_until__isnull=False, snoozed_until__gt=now) | Q(awaits_customer=True),  # never NULL
        )
    )


def tab_of(
    found: QuerySet[Conversation], tab: str, user: User, team_id: UUID | None, now: datetime
) -> QuerySet[Conversation]:
    """The conversations of a tab; a conversation given to somebody who has not claimed it yet is theirs too."""
    match tab:
        case "waiting":
            return found.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now), status=Status.WAITING)
        case "mine":
            given = Escalation.objects.filter(assigned_to=user, status=Escalation.Status.WAITING)
            return found.filter(
                Q(status=Status.HUMAN, assignee=user) | Q(status=Status.WAITING, pk__in=given.values("conversation"))
            )
        case "team":
            return found.filter(status__in=WITH_PEOPLE, team=team_id) if team_id else found.none()
        case "closed":
            return found.filter(status=Status.CLOSED)
    return found.exclude(status=Status.CLOSED)


def narrowed(found: QuerySet[Conversation], by: InboxFilter, user: User, now: datetime) -> QuerySet[Conversation]:
    """Everything of the filter but its tab."""
    if by.q:
        found = TraceFilter(q=by.q).apply(found)
    if by.team:
        found = found.filter(team__slug=by.team)
    if by.reason:
        why = Escalation.objects.filter(conversation=OuterRef("pk"), reason=by.reason)
        found = found.filter(Exists(why if by.tab == "closed" else why.filter(status__in=OPEN)))
    if by.plan:
        found = found.filter(customer__plan=by.plan)
    if by.connected:
        found = found.filter(customer_seen_at__gte=now - CONNECTED)
    if by.unread:
        found = found.filter(Exists(unread_messages(user).filter(conversation=OuterRef("pk"))), status__in=WITH_PEOPLE)
    return _by_assignee(_by_state(found, by.state, now), by.assignee, user)


def unread_messages(user: User) -> QuerySet[Message]:
    """Customers' messages past this member of staff's mark."""
    mark = ReadMark.objects.filter(user=user, conversation=OuterRef("conversation")).values("seq")
    return Message.objects.filter(role=Message.Role.CUSTOMER).filter(seq__gt=Coalesce(mark, 0))


def _by_state(found: QuerySet[Conversation], state: str, now: datetime) -> QuerySet[Conversation]:
    match state:
        case "":
            return found
        case "snoozed":
            return found.filter(snoozed_until__gt=now)
        case "awaits":
            return found.filter(awaits_customer=True)
    return found.filter(status=state)


def _by_assignee(found: QuerySet[Any], assignee: str, user: User) -> QuerySet[Conversation]:
    """Who has it, or is to take it."""
    if not assignee:
        return found
    if assignee == NOBODY:
        return found.filter(assignee=None, pending__assigned_to=None)
    whose = user.pk if assignee == MINE else UUID(assignee)
    return found.filter(Q(assignee=whose) | Q(pending__assigned_to=whose))


def _one_of(value: str, allowed: Any) -> str:
    return value if value in allowed else ""


def _somebody(value: str) -> str:
    if value in (MINE, NOBODY):
        return value
    try:
        return str(UUID(value))
    except ValueError:
        return ""
