"""What staff do from the list: assign, take the next, say whether they are there, snooze, set aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from support_agent.ops.gates import ANSWERERS, READERS, staff_of, staff_only
from support_agent.ops.selectors.reading import clock
from tickets import hours
from tickets.access import conversation_for_staff
from tickets.errors import Conflict, DeskError, NotFound
from tickets.models import Availability, Escalation, Team, User
from tickets.selectors.staff import staff_name
from tickets.services.assignment import availability_set, escalation_assign, escalation_next
from tickets.services.preferences import preferences_set
from tickets.services.queues import escalation_move
from tickets.services.snooze import LONGEST, conversation_await_customer, conversation_snooze

OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]
AT_ONCE = 200
"""Conversations that one form may assign."""


@require_POST
@staff_only(*ANSWERERS)
def assign(request: HttpRequest) -> HttpResponse:
    """Give the chosen conversations to a person (`to` is their id), to a team (`team:<slug>`), or back to the queue."""
    chosen = _ids(request.POST.getlist("conversation"))
    return _answer(request, lambda: _assign(staff_of(request), chosen, request.POST.get("to", "").replace("\x00", "")))


@require_POST
@staff_only(*ANSWERERS)
def take_next(request: HttpRequest) -> HttpResponse:
    """Claim what is most urgent, and open it."""
    try:
        conversation = escalation_next(staff=staff_of(request))
    except DeskError as refusal:
        messages.error(request, refusal.message)
        return redirect(_next(request))
    if conversation is None:
        messages.info(request, "Nobody is waiting.")
        return redirect(_next(request))
    return redirect("inbox_thread", conversation_id=conversation.pk)


@require_POST
@staff_only(*ANSWERERS)
def availability(request: HttpRequest) -> HttpResponse:
    """Available, busy or away."""

    def deed() -> str:
        wanted = request.POST.get("availability", "")
        if wanted not in Availability.values:
            raise Conflict("Choose available, busy or away.")
        availability_set(staff=staff_of(request), availability=wanted)
        return f"You are {Availability(wanted).label.lower()}."

    return _answer(request, deed)


@require_POST
@staff_only(*ANSWERERS)
def snooze(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Out of the way until a time: `for` minutes or 'opening', or `until`, the shop's local time. Neither wakes it."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))

    def deed() -> str:
        until = _until(request.POST.get("for", ""), request.POST.get("until", ""), timezone.now())
        conversation_snooze(conversation=conversation, staff=staff_of(request), until=until)
        if until is None:
            return f"{conversation.reference} is back."
        there = f"{until.astimezone(hours.zone()):%a %-d %b, %H:%M}"
        return f"{conversation.reference} is snoozed until {there} (shop's time)."

    return _answer(request, deed, f"/admin/inbox/{conversation_id}/")


@require_POST
@staff_only(*ANSWERERS)
def await_customer(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Set aside until the customer writes, or take that back (`on` is 'true' or 'false')."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    on = request.POST.get("on", "true") == "true"

    def deed() -> str:
        conversation_await_customer(conversation=conversation, staff=staff_of(request), on=on)
        return f"{conversation.reference} {'waits' if on else 'no longer waits'} for the customer."

    return _answer(request, deed, f"/admin/inbox/{conversation_id}/")


@require_POST
@staff_only(*READERS)
def preferences(request: HttpRequest) -> HttpResponse:
    """Sound and shortcuts, each only when the form names it (`has_…`: an unticked box sends nothing)."""
    named = [name for name in ("sound", "shortcuts") if f"has_{name}" in request.POST]

    def deed() -> str:
        preferences_set(staff=staff_of(request), **{name: request.POST.get(name) == "on" for name in named})
        return "Saved."

    return _answer(request, deed)


def _assign(actor: User, chosen: list[UUID], to: str) -> str:
    if not chosen:
        raise Conflict("Choose at least one conversation.")
    open_ones = Escalation.objects.filter(conversation__in=chosen, status__in=OPEN)
    ids = list(open_ones.values_list("pk", flat=True))
    team = Team.objects.filter(slug=to.removeprefix("team:")).first() if to.startswith("team:") else None
    person = _person(to)
    if to and team is None and person is None:
        raise Conflict("Choose a person or a team.")
    if team is not None:
        moved, whose = escalation_move(escalation_ids=ids, team=team, actor=actor), f"to {team.name}"
    else:
        moved = escalation_assign(escalation_ids=ids, to=person, actor=actor)
        whose = f"to {staff_name(person)}" if person else "back to the queue"
    left = len(chosen) - moved
    rest = f" {left} stayed as they were." if left > 1 else " One stayed as it was." if left else ""
    return f"{moved} conversation{'s' * (moved != 1)} went {whose}.{rest}"


def _person(value: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(value), is_active=True, is_staff=True).first()
    except ValueError:
        return None


def _until(span: str, moment: str, now: datetime) -> datetime | None:
    if span == "opening":
        return hours.next_opening(now)
    if span.isascii() and span.isdecimal() and len(span) < 7:
        until = now + timedelta(minutes=int(span))
    elif moment:
        until = _read(moment)
    else:
        return None
    if not now < until <= now + LONGEST:
        raise Conflict(f"A snooze ends in the future, within {LONGEST.days} days.")
    return until


def _read(moment: str) -> datetime:
    parsed = clock(moment, hours.zone())
    if parsed is None:
        raise Conflict("That is not a date and time.")
    return parsed


def _ids(values: list[str]) -> list[UUID]:
    found = []
    for value in values[:AT_ONCE]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def _answer(request: HttpRequest, deed: Callable[[], str], default: str = "/admin/inbox/") -> HttpResponse:
    """Do it and say what happened: in JSON to a script, by going back to a browser; a refusal in the desk's words."""
    try:
        said, ok = deed(), True
    except NotFound:
        raise
    except DeskError as refusal:
        said, ok = refusal.message, False
    if request.headers.get("X-Inbox"):
        return JsonResponse({"ok": ok, "said": said}, status=200 if ok else 409)
    (messages.success if ok else messages.error)(request, said)
    return redirect(_next(request, default))


def _next(request: HttpRequest, default: str = "/admin/inbox/") -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure())
    return wanted if is_ours and wanted.startswith("/admin/inbox/") else default
