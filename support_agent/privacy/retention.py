"""How long what is kept, and the purge that sees to it: small batches, each its own transaction, safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from support_agent.models import Alert, EvalRun, Replay, Step, Task, ToolCall, Turn
from support_agent.models.limits import Spend
from support_agent.privacy.blank import ERASED
from support_agent.privacy.rows import empty, erase_conversation, erase_tickets
from support_agent.privacy.tables import OF_A_CONVERSATION
from support_agent.runtime.endings import LIVE, LIVE_TASKS
from tickets.models import (
    ArticleFeedback,
    Attachment,
    AuditEntry,
    AuditValue,
    Conversation,
    DemoMail,
    Message,
    Retention,
    ThreadLink,
    Ticket,
    Verification,
    WebhookDelivery,
)
from tickets.services.audit import audit_values_erase

Kind = Retention.Kind
DAYS = {
    Kind.CONVERSATIONS: 730,
    Kind.TICKETS: 1095,
    Kind.TRACES: 90,
    Kind.TASKS: 90,
    Kind.ATTACHMENTS: 365,
    Kind.UNSENT: 1,
    Kind.MAILS: 90,
    Kind.CODES: 7,
    Kind.LINKS: 30,
    Kind.SESSIONS: 1,
    Kind.ALERTS: 365,
    Kind.ADDRESSES: 7,
    Kind.AUDIT_VALUES: 730,
    Kind.ARTICLE_FEEDBACK: 365,
    Kind.EVALUATIONS: 180,
    Kind.WEBHOOKS: 30,
}
BATCH = 500
PLACES = timedelta(days=29)  # longer than the sessions themselves: where staff signed in from is their usual place
TRACED = tuple(table for table in OF_A_CONVERSATION if table.model is Replay)
Rows = QuerySet[Any]


@dataclass(frozen=True)
class Rule:
    """What is over at a moment, and how a batch of it goes."""

    over: Callable[[datetime], list[Rows]]
    purge: Callable[[Rows, list[Any]], object]


def days_kept() -> dict[str, int]:
    """Days by kind: what staff set, else the default."""
    return {kind.value: days for kind, days in DAYS.items()} | dict(Retention.objects.values_list("kind", "days"))


def purge(*, dry_run: bool = False, now: datetime | None = None) -> dict[str, int]:
    """Let go of what is over; how many rows of each kind. `dry_run` only counts."""
    now, counts = now or timezone.now(), {}
    for kind, days in days_kept().items():
        rule, cutoff = RULES[Kind(kind)], now - timedelta(days=days)
        counts[kind] = sum(rows.count() if dry_run else _all(rows, rule) for rows in rule.over(cutoff))
    return counts


def _all(rows: Rows, rule: Rule) -> int:
    """Batch after batch in the order of their keys, so that nothing is looked at twice; what is still there after its
    turn is left for the next time."""
    keys = rows.order_by("pk").values_list("pk", flat=True)
    number, batch = 0, list(keys[:BATCH])
    while batch:
        with transaction.atomic():
            rule.purge(rows.model._default_manager.filter(pk__in=batch), batch)
        number += len(batch)
        batch = list(keys.filter(pk__gt=batch[-1])[:BATCH])
    return number


def _conversations(cutoff: datetime) -> list[Rows]:
    closed = Conversation.objects.filter(status=Conversation.Status.CLOSED, closed_at__lt=cutoff)
    said = Message.objects.filter(conversation=OuterRef("pk")).exclude(text=ERASED)
    return [closed.filter(Exists(said) | ~Q(contact_email="") | ~Q(token_hash="") | ~Q(address_hash=""))]


def _forget_conversations(rows: Rows, ids: list[UUID]) -> None:
    for one in ids:
        erase_conversation(one)
    rows.update(contact_email="", address_hash="")


def _traces(cutoff: datetime) -> list[Rows]:
    """Of turns that ended by then; what they cost and how long they took stays."""
    ended = Turn.objects.exclude(state__in=LIVE).filter(created_at__lt=cutoff)
    return [
        Step.objects.filter(turn__in=ended, created_at__lt=cutoff).exclude(input={}, output={}, error=""),
        ToolCall.objects.filter(turn__in=ended, created_at__lt=cutoff).exclude(arguments={}, result={}),
        Replay.objects.filter(created_at__lt=cutoff, finished_at__isnull=False).exclude(notes=[ERASED]),
    ]


def _forget_traces(rows: Rows, ids: list[UUID]) -> None:
    if rows.model is Replay:
        for table in TRACED:
            empty(table, Replay.objects.filter(pk__in=ids).values_list("turn__conversation", flat=True))
    elif rows.model is Step:
        rows.update(input={}, output={}, error="")
    else:
        rows.update(arguments={}, result={})


def _tasks(cutoff: datetime) -> list[Rows]:
    over = Task.objects.exclude(state__in=LIVE_TASKS).exclude(task=ERASED)
    return [over.filter(created_at__lt=cutoff)]


def _forget_tasks(rows: Rows, _: list[UUID]) -> None:
    for conversation_id in rows.exclude(turn=None).values_list("turn__conversation", flat=True):
        erase_conversation(conversation_id)
    rows.update(task=ERASED, result="")


def _forget_files(rows: Rows, _: list[UUID]) -> None:
    """The files go after the commit, and no message points at them."""
    files = list(rows)
    Message.objects.filter(pk__in=[one.message_id for one in files if one.message_id]).update(attachments=[])
    rows.delete()
    transaction.on_commit(lambda: [one.file.delete(save=False) for one in files] and None)


def _forget_values(rows: Rows, _: list[UUID]) -> None:
    audit_values_erase(AuditEntry.objects.filter(pk__in=rows.values("entry")))


def _delete(rows: Rows, _: list[Any]) -> None:
    rows.delete()


RULES = {
    Kind.CONVERSATIONS: Rule(_conversations, _forget_conversations),
    Kind.TICKETS: Rule(
        lambda cutoff: [
            Ticket.objects.filter(status=Ticket.Status.CLOSED, created_at__lt=cutoff).exclude(body=ERASED),
        ],
        lambda _, ids: erase_tickets(ids),
    ),
    Kind.TRACES: Rule(_traces, _forget_traces),
    Kind.TASKS: Rule(_tasks, _forget_tasks),
    Kind.ATTACHMENTS: Rule(
        lambda cutoff: [Attachment.objects.filter(message__isnull=False, created_at__lt=cutoff)], _forget_files
    ),
    Kind.UNSENT: Rule(lambda cutoff: [Attachment.objects.filter(message=None, created_at__lt=cutoff)], _forget_files),
    Kind.MAILS: Rule(lambda cutoff: [DemoMail.objects.filter(created_at__lt=cutoff)], _delete),
    Kind.CODES: Rule(lambda cutoff: [Verification.objects.filter(expires_at__lt=cutoff)], _delete),
    Kind.LINKS: Rule(lambda cutoff: [ThreadLink.objects.filter(expires_at__lt=cutoff)], _delete),
    Kind.SESSIONS: Rule(
        lambda cutoff: [
            Session.objects.filter(expire_date__lt=cutoff),
            UserSession.objects.filter(last_seen_at__lt=cutoff - PLACES),
        ],
        _delete,
    ),
    Kind.ALERTS: Rule(lambda cutoff: [Alert.objects.filter(resolved_at__lt=cutoff)], _delete),
    Kind.ADDRESSES: Rule(
        lambda cutoff: [Spend.objects.filter(scope="address", period__lt=cutoff.date().isoformat())], _delete
    ),
    Kind.AUDIT_VALUES: Rule(
        lambda cutoff: [
            AuditValue.objects.filter(created_at__lt=cutoff).exclude(before__in=("", ERASED), after__in=("", ERASED))
        ],
        _forget_values,
    ),
    Kind.ARTICLE_FEEDBACK: Rule(lambda cutoff: [ArticleFeedback.objects.filter(created_at__lt=cutoff)], _delete),
    Kind.EVALUATIONS: Rule(lambda cutoff: [EvalRun.objects.filter(finished_at__lt=cutoff)], _delete),
    Kind.WEBHOOKS: Rule(lambda cutoff: [WebhookDelivery.objects.filter(created_at__lt=cutoff)], _delete),
}
