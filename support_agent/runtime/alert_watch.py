"""Looks every minute: raises what stands wrong, keeps what stands, ends what is over, and finds lost notices again.

The worker looks after everything but itself: a runner looks whether the worker still looks, and brings the alerts
to their routes itself while it does not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from support_agent.models import Alert, AlertDelivery, AlertRoute, Heartbeat
from support_agent.runtime import alive
from support_agent.runtime.alert_checks import Finding, look
from support_agent.runtime.alert_deliver import deliver, due_routes
from support_agent.runtime.alert_dispatch import dispatch
from support_agent.runtime.alert_rules import INFO, rule_of
from support_agent.runtime.alert_transports import Undeliverable
from support_agent.runtime.alerts import alert
from tickets.queue import enqueue

log = structlog.get_logger(__name__)
NAME = "alerts"
SETTLED = timedelta(minutes=3)  # not seen for so long, a condition is over
EVENTS_STAY = timedelta(days=1)
SILENT = timedelta(minutes=3)  # a worker that has not looked for so long is missing
Notice = AlertDelivery.Notice


def evaluate(now: datetime | None = None) -> None:
    """The job of every minute. Safe to run as often as one likes."""
    now = now or timezone.now()
    found, looked_at, failed = look(now)
    for why in failed:
        log.warning("alert_check_failed", why=why)
    for finding in _standing(found, now):
        _raise(finding, now)
    _end(looked_at, now)
    _repair(now)
    for route_id in due_routes(now):
        enqueue(deliver, route_id, queue="mail")


def watch_worker(started_at: datetime, now: datetime | None = None) -> bool:
    """A runner's look, each minute: whether the worker looks after the alerts. While not, the runner does it here.

    `started_at` is the runner's start: a product that has just begun gets the time to.
    """
    now = now or timezone.now()
    beat = Heartbeat.objects.filter(name=NAME).first()
    last = max(started_at, beat.seen_at) if beat else started_at
    if now - last <= SILENT:
        return True
    alert(
        "worker",
        f"silent:{now:%Y%m%d%H}",
        f"Jobs have not been done for {int((now - last).total_seconds() // 60)} min: {_why_silent()}.",
        subject="silent",
        now=now,
    )
    _repair(now, here=True)
    for route_id in due_routes(now):
        try:
            deliver(route_id, now)
        except Undeliverable:
            continue  # noted on its rows; the next minute tries again
    return False


def _standing(found: list[Finding], now: datetime) -> list[Finding]:
    """Those told already, and those that have stood for as long as their rule waits: since when is on the heartbeat."""
    beat, _ = Heartbeat.objects.get_or_create(name=NAME, defaults={"kind": NAME})
    is_fresh = now - beat.seen_at <= SETTLED  # whoever has not looked for long does not know what stood meanwhile
    known: dict[str, Any] = beat.details.get("since", {}) if is_fresh else {}
    since = {name: known.get(name, now.isoformat()) for name in map(_name, found)}
    Heartbeat.objects.filter(name=NAME).update(seen_at=now, details={"since": since})
    told = set(Alert.objects.filter(resolved_at=None).exclude(subject="").values_list("kind", "subject"))
    return [
        one
        for one in found
        if (one.kind, one.subject) in told or now - _moment(since[_name(one)], now) >= rule_of(one.kind).wait
    ]


def _name(one: Finding) -> str:
    return f"{one.kind}:{one.subject}"


def _moment(text: str, default: datetime) -> datetime:
    return parse_datetime(text) or default


def _raise(one: Finding, now: datetime) -> None:
    alert(
        one.kind,
        f"{one.subject}:{now:%Y%m%d%H}",
        one.text,
        subject=one.subject,
        severity=one.severity,
        size=one.size,
        now=now,
        **{str(name): value for name, value in one.details.items()},
    )


def _end(looked_at: frozenset[str], now: datetime) -> None:
    """What nobody sees any more is over, and its routes hear so once; an event is over after a day, without a word."""
    gone = Alert.objects.filter(resolved_at=None, kind__in=looked_at, seen_at__lt=now - SETTLED).exclude(subject="")
    for one in gone:
        with transaction.atomic():  # over, and told so
            if Alert.objects.filter(pk=one.pk, resolved_at=None).update(resolved_at=now):
                log.info("alert_over", kind=one.kind, subject=one.subject)
                dispatch(str(one.pk), Notice.RESOLVED.value, now)
    Alert.objects.filter(resolved_at=None, subject="", created_at__lt=now - EVENTS_STAY).update(resolved_at=now)


def _repair(now: datetime, *, here: bool = False) -> None:
    """Notices whose job was lost: an alert without causes that is to be told was never dispatched."""
    lost = Alert.objects.filter(causes={}, created_at__gte=now - EVENTS_STAY)
    asking = AlertRoute.objects.filter(is_active=True, least=INFO, created_at__lte=OuterRef("created_at"))
    for pk in lost.filter(~Q(severity=INFO) | Exists(asking)).values_list("pk", flat=True)[:100]:
        if here:
            dispatch(str(pk), Notice.RAISED.value, now)
        else:
            enqueue(dispatch, str(pk), Notice.RAISED.value, queue="mail")


def _why_silent() -> str:
    """Which of worker, scheduler and Redis is away, as far as one can see from here."""
    try:
        states = {"worker": alive.worker(), "scheduler": alive.scheduler()}
    except Exception:  # whatever Redis or RQ raise
        return "Redis does not answer"
    missing = [f"{name}: {state}" for name, state in states.items() if state != "ok"]
    return "; ".join(missing) or "worker and scheduler are alive, but the job does not end"
