"""What staff do with a route: send a test, and with it let what was given up go out."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from support_agent.models import AlertDelivery, AlertRoute
from support_agent.runtime.alert_deliver import MAX_ATTEMPTS, deliver
from support_agent.runtime.alert_messages import trial_message
from support_agent.runtime.alert_transports import Undeliverable, send
from tickets.access import require_role
from tickets.ids import new_id
from tickets.models import Role, User
from tickets.queue import enqueue
from tickets.services.audit import audit

STILL_NEWS = timedelta(days=1)


def route_test(*, route: AlertRoute, staff: User) -> str:
    """Send a test now, audited; why it did not arrive, or nothing. Raises NotAllowed.

    When it arrives the route is well again: what was given up within a day is sent after all, together.
    """
    require_role(staff, Role.OPS, Role.ADMIN)
    now = timezone.now()
    try:
        why = send(route, trial_message(new_id(), now))
    except Undeliverable as error:
        why = str(error)
    audit(actor=staff, action="alertroute.test", obj=route, changes={"result": (None, why or "sent")})
    if why:
        return f"{route}: {why}"
    lost = AlertDelivery.objects.filter(route=route, sent_at=None, created_at__gte=now - STILL_NEWS)
    if lost.filter(attempts__gte=MAX_ATTEMPTS).update(attempts=0, message_id=None, due_at=now, error=""):
        enqueue(deliver, str(route.pk), queue="mail")
    return ""
