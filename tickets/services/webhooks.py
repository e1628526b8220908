"""Outgoing webhooks: an event is written in the transaction that makes it true, sent after, tried again, and replayed.

Signed as Standard Webhooks has it (webhook-id, webhook-timestamp, webhook-signature), so that every receiver's library
checks it. At least once, in no promised order: the id tells repeats, the timestamp what is older.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tickets import webhook_payloads
from tickets.ids import new_id
from tickets.models import Conversation, Escalation, Ticket, User, Webhook, WebhookDelivery, WebhookEvent
from tickets.models.webhooks import SECRET_PREFIX
from tickets.outgoing import Refused, post
from tickets.queue import enqueue
from tickets.services.audit import audit

log = logging.getLogger(__name__)
State = WebhookDelivery.State
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 300, 1800, 7200, 18_000, 36_000, 50_400))  # over a day in all
LEASE = timedelta(minutes=1)  # of a try whose worker died: longer than a call may take
GONE = 410
UNREADABLE = "its secret cannot be read, since SECRET_KEY has changed: give the webhook a new one"
MOST_AT_ONCE = 500
Json = dict[str, Any]


def tell_ticket(ticket: Ticket, type: WebhookEvent) -> None:
    """A ticket was opened or changed. Called in the transaction that did it."""
    _emit(type, lambda details: webhook_payloads.of_ticket(ticket, details), ticket=ticket)


def tell_escalation(escalation: Escalation, type: WebhookEvent) -> None:
    """An escalation was opened, claimed, passed on or ended. Called in the transaction that did it."""
    conversation = escalation.conversation
    _emit(type, lambda details: webhook_payloads.of_escalation(escalation, details), conversation=conversation)


def tell_closed(conversation: Conversation) -> None:
    """A conversation was closed. Called in the transaction that did it."""
    _emit(
        WebhookEvent.CONVERSATION_CLOSED,
        lambda details: webhook_payloads.of_conversation(conversation, details),
        conversation=conversation,
    )


def webhook_test(*, webhook: Webhook, staff: User) -> WebhookDelivery:
    """Send `webhook.test` to one receiver, whatever it listens to, and even while it is paused."""
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(paused_until=None)
        (delivery,) = _write([webhook], "webhook.test", new_id(), {"webhook": webhook.name})
        audit(actor=staff, action="webhook.test", obj=webhook, changes={"sent": (None, "webhook.test")})
    return delivery


@transaction.atomic
def deliveries_replay(*, delivery_ids: Iterable[UUID], staff: User | None) -> int:
    """Send these again, under their old ids; how many. Those that wait already are only hurried."""
    ids = list(delivery_ids)
    webhooks = set(WebhookDelivery.objects.filter(pk__in=ids).values_list("webhook", flat=True))
    Webhook.objects.filter(pk__in=webhooks).update(paused_until=None)
    found = WebhookDelivery.objects.filter(pk__in=ids, webhook__is_active=True)
    number = found.update(state=State.WAITING, attempts=0, due_at=timezone.now(), error="")
    for webhook in Webhook.objects.filter(pk__in=webhooks):
        audit(actor=staff, action="webhook.replay", obj=webhook, changes={"deliveries": (None, number)})
    for delivery_id in ids[:MOST_AT_ONCE]:  # the clock sends the rest
        enqueue(deliver, str(delivery_id))
    return number


def deliver(delivery_id: str) -> None:
    """The job: one try of one delivery, claimed for its time. Safe to run twice, and for what is not due."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(pk=delivery_id, state=State.WAITING, due_at__lte=now)
    delivery = due.select_related("webhook").first()
    if delivery is None:
        return
    webhook = delivery.webhook
    if not webhook.is_active:
        due.update(state=State.FAILED, error="the webhook is switched off")
    elif webhook.paused_until is not None and webhook.paused_until > now:
        due.update(due_at=webhook.paused_until)
    elif due.filter(attempts=delivery.attempts).update(attempts=F("attempts") + 1, due_at=now + LEASE):
        delivery.attempts += 1
        status, error, is_worth_trying = _call(delivery, now)
        _note(delivery, status, error, is_worth_trying)


def deliveries_due() -> int:
    """The clock's job: bring what is due on its way; how many. What a lost job left is found here."""
    due = WebhookDelivery.objects.filter(state=State.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at").values_list("pk", flat=True)[:MOST_AT_ONCE])
    for delivery_id in ids:
        enqueue(deliver, str(delivery_id), name=f"webhook:{delivery_id}")
    return len(ids)


def signature(delivery_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """The header's value: v1 and the HMAC-SHA256, in base64, of "<id>.<timestamp>.<body>"."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{delivery_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _emit(
    type: WebhookEvent,
    payload: Any,
    *,
    conversation: Conversation | None = None,
    ticket: Ticket | None = None,
) -> None:
    webhooks = list(Webhook.objects.filter(is_active=True, events__contains=[type.value]))
    event_id = new_id()
    for details in (False, True):
        told = [webhook for webhook in webhooks if webhook.with_details is details]
        if told:
            _write(told, type.value, event_id, payload(details), conversation=conversation, ticket=ticket)


def _write(
    webhooks: Sequence[Webhook], type: str, event_id: UUID, data: Json, **about: Conversation | Ticket | None
) -> list[WebhookDelivery]:
    payload = {"type": type, "timestamp": timezone.now().isoformat(), "data": data}
    rows = [
        WebhookDelivery(webhook=webhook, event_id=event_id, type=type, payload=payload, **about) for webhook in webhooks
    ]
    WebhookDelivery.objects.bulk_create(rows)
    for row in rows:
        enqueue(deliver, str(row.pk), name=f"webhook:{row.pk}")
    return rows


def _call(delivery: WebhookDelivery, now: datetime) -> tuple[int | None, str, bool]:
    """(HTTP status, what went wrong or '', whether trying again can help). Nothing of the database is held."""
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    if not delivery.webhook.secret:
        return None, UNREADABLE, True  # SECRET_KEY may be put right within the day
    timestamp, name = int(now.timestamp()), str(delivery.event_id)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(name, timestamp, body, delivery.webhook.secret),
    }
    try:
        status = post(delivery.webhook.url, body, headers)
    except Refused as error:
        return None, str(error), False
    except OSError as error:
        return None, f"{type(error).__name__}: {error}", True
    if 200 <= status < 300:
        return status, "", True
    return status, f"answered HTTP {status}", status != GONE


@transaction.atomic
def _note(delivery: WebhookDelivery, status: int | None, error: str, is_worth_trying: bool) -> None:
    """Write down how a try went: on the delivery, and what it says of the receiver."""
    now, webhook = timezone.now(), Webhook.objects.select_for_update(no_key=True).get(pk=delivery.webhook_id)
    mine = WebhookDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts)
    if not error:
        mine.update(state=State.SENT, sent_at=now, status=status, error="")
        if webhook.failures:
            webhook.failures, webhook.failing_since, webhook.paused_until = 0, None, None
            webhook.save(update_fields=["failures", "failing_since", "paused_until"])
        return
    pause = PAUSES[min(delivery.attempts, len(PAUSES)) - 1]
    is_over = not is_worth_trying or delivery.attempts > len(PAUSES)
    mine.update(state=State.FAILED if is_over else State.WAITING, due_at=now + pause, status=status, error=error[:300])
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    # Others' events wait with it, for minutes: hours would hold back a receiver that is well again.
    webhook.paused_until = now + min(PAUSES[min(webhook.failures, len(PAUSES)) - 1], PAUSES[2])
    if status == GONE:
        webhook.is_active = False
        audit(actor=None, action="webhook.gone", obj=webhook, changes={"is_active": (True, False)})
    webhook.save(update_fields=["failures", "failing_since", "paused_until", "is_active"])
    log.warning("webhook_not_delivered", extra={"webhook": webhook.name, "error": error[:300]})
