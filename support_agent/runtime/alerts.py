"""Alerts: written once for their kind and key, logged, and mailed to ops by a job. The runbook says what to do."""

from __future__ import annotations

from typing import Any

import structlog

from support_agent.models import Alert
from tickets import mail
from tickets.models import Role, User
from tickets.queue import enqueue

log = structlog.get_logger(__name__)


def alert(kind: str, key: str, text: str, **details: Any) -> bool:
    """Tell ops once; False when it was told before. `key` holds the period: 'customer:<id>:2026-11-21'."""
    made, is_new = Alert.objects.get_or_create(
        kind=kind, key=key[:120], defaults={"text": text[:500], "details": {k: str(v) for k, v in details.items()}}
    )
    if is_new:
        log.warning("alert", kind=kind, key=key, text=text, **details)
        enqueue(mail_alert, str(made.pk), queue="mail")
    return is_new


def mail_alert(alert_id: str) -> None:
    """The job: one mail to everyone of ops and admin with an address."""
    found = Alert.objects.filter(pk=alert_id).first()
    if found is None:
        return
    people = User.objects.filter(is_active=True, is_staff=True, groups__name__in=[Role.OPS, Role.ADMIN]).distinct()
    facts = "\n".join(f"{name}: {value}" for name, value in found.details.items())
    for address in people.exclude(email="").values_list("email", flat=True):
        mail.send(
            to=address, subject=f"[alert] {found.text[:120]}", body=f"{found.text}\n\n{facts}\n\ndocs/runbook.md\n"
        )
