"""Escalations: a conversation's way to a person. One is open at a time, held by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from tickets import hours, jobs
from tickets.errors import Conflict
from tickets.events import event_append
from tickets.models import Action, Conversation, Effect, Escalation, EscalationReason, Promise, Team, User, WebhookEvent
from tickets.publishing import publish_inbox
from tickets.queue import enqueue
from tickets.redaction import without_secrets
from tickets.selectors.escalations import escalation_open_of, queue_position
from tickets.selectors.workload import FALLBACK_TEAM, teams_with_people
from tickets.services.conversations import conversation_decided
from tickets.services.promises import REPLY, REPLY_TEXT, promise_make
from tickets.services.resolutions import resolution_revoke
from tickets.services.routing import route
from tickets.services.webhooks import tell_escalation

AT_ONCE, SOON, NORMAL = timedelta(minutes=5), timedelta(minutes=10), hours.FIRST_REPLY
DEFAULT_TEAM = FALLBACK_TEAM
MAX_SUMMARY = 2000


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers an escalation that names no team, and within how much of the opening hours."""

    team: str
    within: timedelta


Why = EscalationReason
ROUTES: dict[EscalationReason, Route] = {
    Why.ASKED: Route("support", NORMAL),
    Why.MONEY: Route("billing", SOON),
    Why.LEGAL: Route("support", AT_ONCE),
    Why.UNSURE: Route("support", NORMAL),
    Why.TOOL_FAILING: Route("engineering", NORMAL),
    Why.BUDGET: Route("support", NORMAL),
    Why.LOOP: Route("support", NORMAL),
    Why.SAFETY: Route("support", AT_ONCE),
    Why.UNVERIFIED: Route("account_management", NORMAL),
    Why.MODEL_FAILING: Route("support", NORMAL),
    Why.PEOPLE_FIRST: Route("support", NORMAL),
}


@transaction.atomic
def escalation_open(
    *, conversation: Conversation, reason: str, summary: str = "", team: str = "", promises_reply: bool = True
) -> Escalation:
    """Put the conversation before a person; while one is open, that one is returned, and it owes an answer.

    Without a team, or with one unknown or without people, the reason's own team gets it, or else the general one; it is
    assigned to whoever has the least. An unknown reason raises ValueError. Raises Conflict for a background task, which
    has nobody to hand over.
    """
    reason = EscalationReason(reason)
    if conversation.channel == Conversation.Channel.TASK:
        raise Conflict("A background task cannot be handed to a person.")
    conversation.refresh_from_db(fields=["status"], from_queryset=Conversation.objects.select_for_update(no_key=True))
    if (known := escalation_open_of(conversation)) is not None:
        if promises_reply:
            reply_owed(known)
        return known
    try:
        with transaction.atomic():
            escalation = Escalation.objects.create(
                conversation=conversation,
                reason=reason,
                summary=without_secrets(summary[:MAX_SUMMARY])[:MAX_SUMMARY],
                team=_team(team, ROUTES[reason].team),
                due_at=hours.due_at(timezone.now(), ROUTES[reason].within),
            )
    except IntegrityError:
        known = escalation_open_of(conversation)
        if known is None:
            raise
        return known
    conversation.status, conversation.team = Conversation.Status.WAITING, escalation.team
    conversation.closed_at = None
    conversation.save(update_fields=["status", "team", "closed_at"])
    event_append(
        conversation=conversation,
        type="status",
        payload={
            "status": conversation.status,
            "team": escalation.team.name,
            "queue_position": queue_position(escalation),
        },
    )
    if promises_reply:
        promise_make(conversation=conversation, text=REPLY_TEXT, due_at=escalation.due_at, kind=Promise.Kind.REPLY)
    enqueue(jobs.announce_escalation, str(escalation.pk), queue="mail")
    tell_escalation(escalation, WebhookEvent.ESCALATION_OPENED)
    resolution_revoke(conversation=conversation)
    publish_inbox(conversation.pk, "waiting")
    route(escalation)
    return escalation


def reply_owed(escalation: Escalation) -> None:
    """A person is wanted while only a decision was awaited: now an answer is promised besides."""
    if escalation.status != Escalation.Status.WAITING or _is_owed(escalation.conversation):
        return
    due_at = hours.due_at(timezone.now())
    promise_make(conversation=escalation.conversation, text=REPLY_TEXT, due_at=due_at, kind=Promise.Kind.REPLY)


def escalation_decided(*, conversation: Conversation, staff: User) -> None:
    """The last thing it waited for is decided: it ends, unless a person has it or is wanted for more."""
    escalation = escalation_open_of(conversation)
    if escalation is None or escalation.status != Escalation.Status.WAITING:
        return
    actions = conversation.actions.all()
    if escalation.reason != Why.MONEY or not actions.filter(summary=escalation.summary).exists():
        return
    undecided = Q(state=Action.State.AWAITING_STAFF) | Q(effects__state=Effect.State.GIVEN_UP, effects__settled_at=None)
    if not _is_owed(conversation) and not actions.filter(undecided).exists():
        conversation_decided(conversation=conversation, staff=staff)


def escalation_answered(*, conversation: Conversation) -> None:
    """A person has written: the first reply of the open escalation, kept as late where it was."""
    now = timezone.now()
    late = Case(When(due_at__lt=now, then=Value(now)), default=None)
    Escalation.objects.filter(conversation=conversation, status=Escalation.Status.CLAIMED, first_reply_at=None).update(
        first_reply_at=now, breached_at=Coalesce("breached_at", late)
    )


def _is_owed(conversation: Conversation) -> bool:
    """Whether it is promised that a person answers."""
    standing = [Promise.State.OPEN, Promise.State.MISSED]
    return conversation.promises.filter(about=REPLY, state__in=standing).exists()


def _team(*wanted: str) -> Team:
    """The first of the wanted teams that there is; one nobody works in gives way to the general team."""
    known = {team.slug: team for team in Team.objects.filter(slug__in=[*wanted, DEFAULT_TEAM])}
    staffed = teams_with_people()
    general = known.get(DEFAULT_TEAM)
    for slug in wanted:
        if slug in known and (slug in staffed or DEFAULT_TEAM not in staffed):
            return known[slug]
    return general or Team.objects.get_or_create(slug=DEFAULT_TEAM, defaults={"name": "Support"})[0]
