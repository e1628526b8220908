"""Alerts: written once for their kind and key, logged, and brought to their routes by a job.

alert_rules      the table of kinds          alert_checks    what stands wrong now
alert_watch      raises, keeps and ends conditions           alert_causes    who and what is behind one
alert_dispatch   which routes, and when      alert_deliver   one message after the other, without storms
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from support_agent.models import Alert, AlertDelivery
from support_agent.models.alerts import SEVERITIES
from support_agent.runtime.alert_dispatch import dispatch, is_told
from support_agent.runtime.alert_rules import rule_of
from tickets.access import require_role
from tickets.models import Role, User
from tickets.queue import enqueue
from tickets.services.audit import audit

log = structlog.get_logger(__name__)
Notice = AlertDelivery.Notice
HANDLERS = (Role.LEAD, Role.OPS, Role.ADMIN)
MORE = 5  # from one to two is twice as many, and no news


@transaction.atomic
def alert(
    kind: str,
    key: str,
    text: str,
    *,
    subject: str = "",
    severity: str = "",
    size: int = 0,
    now: datetime | None = None,
    **details: Any,
) -> bool:
    """Tell ops once; False when it was told before. `key` holds the period: 'customer:<id>:2026-11-21'.

    A `subject` makes it a condition, which ends when nobody sees it any more; while it is open nothing is told again,
    but that it got worse: a higher severity, or a `size` twice what was told. `details` are ids and
    figures for whoever reads it: no customer's words.
    """
    severity, now = severity or rule_of(kind).severity, now or timezone.now()
    figures = {name: str(value) for name, value in details.items()}
    if subject and _is_open(kind, subject, severity, size, text, figures, now):
        return False
    made, is_new = Alert.objects.get_or_create(
        kind=kind,
        key=key[:120],
        defaults={
            "subject": subject[:120],
            "severity": severity,
            "text": text[:500],
            "details": figures | _sized(size),
            "created_at": now,
            "seen_at": now,
        },
    )
    if is_new:
        log.warning("alert", kind=kind, key=key, severity=severity, text=text, **details)
        if is_told(severity, now):
            enqueue(dispatch, str(made.pk), Notice.RAISED.value, queue="mail")
    elif subject and made.resolved_at:  # it comes and goes: told once in a period
        Alert.objects.filter(pk=made.pk).update(
            resolved_at=None, seen_at=now, text=text[:500], details=figures | _told(made)
        )
    return is_new


def _is_open(
    kind: str, subject: str, severity: str, size: int, text: str, figures: dict[str, str], now: datetime
) -> bool:
    """Whether this condition was told; that it is seen again, or has become worse, is noted.

    Words and figures are noted together, or the page would say two things.
    """
    found = Alert.objects.filter(kind=kind, subject=subject[:120], resolved_at=None).first()
    if found is None:
        return False
    changes: dict[str, Any] = {"seen_at": now, "text": text[:500], "details": figures | _told(found)}
    told = int(found.details.get("size", size))
    rises = SEVERITIES.index(severity) > SEVERITIES.index(found.severity)
    worse = rises or size >= max(2 * told, told + MORE)
    if worse:
        changes["severity"] = severity if rises else found.severity
        changes["details"] = figures | _told(found) | _sized(size)
        # A notice is sent once; what has grown twice since is news again.
        found.deliveries.filter(notice=Notice.WORSE, sent_at__isnull=False).delete()
    Alert.objects.filter(pk=found.pk).update(**changes)
    if worse:
        log.warning("alert_worse", kind=kind, subject=subject, severity=severity, text=text)
        enqueue(dispatch, str(found.pk), Notice.WORSE.value, queue="mail")
    return True


def _told(found: Alert) -> dict[str, str]:
    """The size that was told last, which stays until something worse is told."""
    return {"size": found.details["size"]} if "size" in found.details else {}


def _sized(size: int) -> dict[str, str]:
    return {"size": str(size)} if size else {}


@transaction.atomic
def alert_acknowledge(*, alert: Alert, staff: User) -> bool:
    """Say that somebody is on it; False when somebody is already. Raises NotAllowed."""
    require_role(staff, *HANDLERS)
    now = timezone.now()
    mine = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
    if not mine.update(acknowledged_at=now, acknowledged_by=staff):
        return False
    audit(actor=staff, action="alert.acknowledge", obj=alert, changes={"acknowledged_at": (None, now)})
    return True
