"""Which routes a notice goes to, and when: quiet hours are the shop's, and a page comes all the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.utils import timezone

from support_agent.models import Alert, AlertDelivery, AlertRoute
from support_agent.models.alerts import OPS_AND_ADMIN, SEVERITIES
from support_agent.runtime.alert_causes import causes_of
from support_agent.runtime.alert_deliver import deliver
from support_agent.runtime.alert_rules import INFO, PAGE
from tickets import hours
from tickets.queue import enqueue

Notice = AlertDelivery.Notice


def dispatch(alert_id: str, notice: str, now: datetime | None = None) -> None:
    """The job: find the causes, write what is to be delivered, wake the deliverers. Safe to run twice."""
    now = now or timezone.now()
    found = Alert.objects.filter(pk=alert_id).first()
    if found is None:
        return
    if not found.causes and is_told(found.severity, found.created_at):
        found.causes = causes_of(found.details, now)
        Alert.objects.filter(pk=found.pk).update(causes=found.causes)
    for route in routes_of(found, Notice(notice), now):
        enqueue(deliver, str(route.pk), queue="mail")


def is_told(severity: str, raised_at: datetime) -> bool:
    """Whether its causes are worth three queries: what is only good to know is told where a route asks for it."""
    asking = AlertRoute.objects.filter(is_active=True, least=INFO, created_at__lte=raised_at)
    return severity != INFO or asking.exists()


def routes_of(alert: Alert, notice: AlertDelivery.Notice, now: datetime) -> list[AlertRoute]:
    """Write the deliveries of a notice; the routes that have some to send now."""
    takers = [route for route in _takers(alert) if _wants(route, alert, notice)]
    rows = [
        AlertDelivery(
            alert=alert, route=route, notice=notice, created_at=now, due_at=due_at(route, alert.severity, now)
        )
        for route in takers
    ]
    AlertDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return [row.route for row in rows if row.due_at <= now]


def due_at(route: AlertRoute, severity: str, now: datetime) -> datetime:
    """Now, or when the route's quiet hours end; a page does not wait."""
    end = None if severity == PAGE else quiet_end(route.quiet_from, route.quiet_until, now)
    return end or now


def quiet_end(start: time | None, end: time | None, now: datetime) -> datetime | None:
    """When the quiet hours that hold at this (aware) moment end, in the shop's time; None while there are none."""
    if start is None or end is None or start == end:
        return None
    here = now.astimezone(hours.zone())
    clock = here.time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not is_quiet:
        return None
    day = here.date() if clock < end else here.date() + timedelta(days=1)
    return datetime.combine(day, end, hours.zone())


def staff_route() -> AlertRoute:
    """The mails to ops and admin: there from the start; whoever wants none switches it off."""
    kind = AlertRoute.Kind.STAFF
    return AlertRoute.objects.get_or_create(kind=kind, target=OPS_AND_ADMIN)[0]


def _takers(alert: Alert) -> Iterable[AlertRoute]:
    staff_route()
    level = SEVERITIES.index(alert.severity)
    for route in AlertRoute.objects.filter(is_active=True):
        # A route that takes nothing any more is not told of that itself.
        if SEVERITIES.index(route.least) <= level and str(route.pk) != alert.details.get("route"):
            yield route


def _wants(route: AlertRoute, alert: Alert, notice: AlertDelivery.Notice) -> bool:
    """Only who heard of the beginning hears of the end; what is still held says by itself how it ended."""
    if notice is not Notice.RESOLVED:
        return True
    told = alert.deliveries.filter(route=route).exclude(notice=Notice.RESOLVED)
    return told.filter(sent_at__isnull=False).exists()
