"""Brings what is due to one route: as single messages while there are few, as one digest when there are many.

A message is planned in one transaction and sent in another, under the lock of its rows: two jobs at once send it once.
What is planned keeps its id, so that a receiver can drop a repeat when our process dies after sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from support_agent.models import Alert, AlertDelivery, AlertRoute
from support_agent.models.alerts import SEVERITIES
from support_agent.runtime.alert_messages import message_of
from support_agent.runtime.alert_rules import PAGE
from support_agent.runtime.alert_transports import Undeliverable, send

log = structlog.get_logger(__name__)
HOUR = timedelta(hours=1)
BACKOFF_S = (5, 30, 120, 600, 1800)  # as tickets.queue has RQ try again
MAX_ATTEMPTS = len(BACKOFF_S) + 1
PAGE_PAUSE = timedelta(minutes=5)  # past the hour's messages, pages still come, together
Deliveries = Sequence[AlertDelivery]


def deliver(route_id: str, now: datetime | None = None) -> None:
    """The job. Raises Undeliverable when a message failed and is worth another try: RQ does it, and the clock."""
    now = now or timezone.now()
    failed: Undeliverable | None = None
    for message_id in _plan(route_id, now):
        try:
            _send(message_id, now)
        except Undeliverable as error:
            failed = error
    if failed is not None and failed.is_worth_trying:
        raise failed


def due_routes(now: datetime) -> list[str]:
    """The routes with something to send that no job may know of; one query."""
    due = _unsent().filter(due_at__lte=now, route__is_active=True)
    return [str(pk) for pk in due.order_by().values_list("route", flat=True).distinct()]


@transaction.atomic
def _plan(route_id: str, now: datetime) -> list[UUID]:
    """Give what is due its message's id; the ids of all messages to send now."""
    locked = AlertRoute.objects.select_for_update(no_key=True, skip_locked=True)
    route = locked.filter(pk=route_id, is_active=True).first()
    if route is None:
        return []
    due = list(_unsent().filter(route=route, due_at__lte=now).select_related("alert").order_by("created_at"))
    again = list(dict.fromkeys(row.message_id for row in due if row.message_id))
    fresh = sorted((row for row in due if row.message_id is None), key=lambda row: -_level(row.alert))
    messages = _grouped(route, fresh, len(again), now)
    for message in messages:
        message_id = message[0].pk
        AlertDelivery.objects.filter(pk__in=[row.pk for row in message]).update(message_id=message_id)
    return [*again, *(message[0].pk for message in messages)]


def _grouped(route: AlertRoute, fresh: list[AlertDelivery], planned: int, now: datetime) -> list[Deliveries]:
    """What was held comes as one; then one each while the hour has room, its last message being a digest of the rest.

    Past that, pages go together every five minutes, the others when the hour has room again.
    """
    if not fresh:
        return []
    sent = AlertDelivery.objects.filter(route=route, sent_at__gt=now - HOUR)
    left = route.per_hour - sent.values("message_id").distinct().count() - planned
    held = [row for row in fresh if row.due_at > row.created_at]
    single = [row for row in fresh if row.due_at <= row.created_at]
    if left > 0 and held:
        return [held, *_spread(single, left - 1, route, now)] if left > 1 or not single else [fresh]
    return _spread(fresh, left, route, now)


def _spread(rows: list[AlertDelivery], left: int, route: AlertRoute, now: datetime) -> list[Deliveries]:
    if not rows:
        return []
    if len(rows) <= left:
        return [[row] for row in rows]
    if left > 0:
        return [*([row] for row in rows[: left - 1]), rows[left - 1 :]]
    sent = AlertDelivery.objects.filter(route=route, sent_at__gt=now - HOUR)
    room_at = (sent.aggregate(first=Min("sent_at"))["first"] or now) + HOUR
    pages = [row for row in rows if row.alert.severity == PAGE]
    is_pause_over = not sent.filter(sent_at__gt=now - PAGE_PAUSE).exists()
    later = [row.pk for row in rows if row not in pages]
    AlertDelivery.objects.filter(pk__in=later).update(due_at=max(room_at, now + timedelta(minutes=1)))
    return [pages] if pages and is_pause_over else []


def _send(message_id: UUID, now: datetime) -> None:
    """Send one message and note how it went. Raises Undeliverable, noted as well."""
    failed: Undeliverable | None = None
    with transaction.atomic():
        waiting = _unsent().filter(message_id=message_id).select_for_update(of=("self",), skip_locked=True)
        found = waiting.select_related("alert", "route").order_by("created_at")
        rows = sorted(found, key=lambda row: -_level(row.alert))
        if not rows:
            return
        ids = [row.pk for row in rows]
        try:
            partly = send(rows[0].route, message_of(message_id, [(row.notice, row.alert) for row in rows], now))
        except Undeliverable as error:
            failed = error
            attempts = rows[0].attempts + 1 if error.is_worth_trying else MAX_ATTEMPTS
            failed.is_worth_trying = attempts < MAX_ATTEMPTS
            pause = timedelta(seconds=BACKOFF_S[min(attempts, len(BACKOFF_S)) - 1])
            noted = AlertDelivery.objects.filter(pk__in=ids)
            noted.update(attempts=attempts, error=str(error)[:300], due_at=now + pause)
            log.warning("alert_not_delivered", route=str(rows[0].route_id), error=str(error), attempts=attempts)
        else:
            AlertDelivery.objects.filter(pk__in=ids).update(sent_at=now, error=partly[:300])
            _note_reached([row.alert_id for row in rows], now)
    if failed is not None:
        raise failed


def _note_reached(alert_ids: Sequence[UUID], now: datetime) -> None:
    """An alert has reached everyone when nothing of it is left to send."""
    waiting = _unsent().filter(alert_id__in=alert_ids).values("alert_id")
    done = Alert.objects.filter(pk__in=alert_ids, sent_at=None).exclude(pk__in=waiting)
    done.update(sent_at=now)


def _unsent() -> QuerySet[AlertDelivery]:
    return AlertDelivery.objects.filter(sent_at__isnull=True, attempts__lt=MAX_ATTEMPTS)


def _level(alert: Alert) -> int:
    return SEVERITIES.index(alert.severity)
