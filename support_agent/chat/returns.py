"""The printable label of a return: for whoever has the signed link of its card, or whose return it is."""

from __future__ import annotations

import re
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from support_agent.chat.renderers.cards import LABEL_LINK
from support_agent.chat.visitors import visitor_of_request
from tickets import policy
from tickets.access import is_customer
from tickets.backends import ask_soon, backend, who_of
from tickets.backends.port import Unreachable
from tickets.backends.records import OrderRecord, ReturnRecord, Who
from tickets.models import Customer, Return
from tickets.selectors.customers import customer_by_id
from tickets.selectors.returns import owner_of_return

NUMBER = re.compile(r"[\w-]{1,40}")
WAIT_S = 5.0
LINK_FOR = timedelta(days=2)
"""How long a card's link opens the label without a session: the frame on other sites has none."""


@require_GET
@never_cache
def label(request: HttpRequest, number: str) -> HttpResponse:
    """The label while the parcel is still to come; a foreign return looks like a missing one."""
    customer = _customer(request, number) if NUMBER.fullmatch(number) else None
    if customer is None:
        raise Http404
    try:
        parcel, order = ask_soon(WAIT_S, _read, who_of(customer), number)
    except Unreachable:
        return render(request, "chat/label_away.html", {"number": number}, status=503)
    if parcel is None or order is None:
        raise Http404
    send_by = policy.label_until(parcel.created_at)
    is_open = parcel.status == Return.Status.LABEL_SENT and timezone.now().date() <= send_by
    context = {"parcel": parcel, "order": order, "customer": customer, "send_by": send_by, "is_open": is_open}
    return render(request, "chat/label.html", context, status=200 if is_open else 410)


def _customer(request: HttpRequest, number: str) -> Customer | None:
    """Whose return it may be: its owner's, for whoever has the signed link or is the owner; else the visitor's own."""
    visitor, owner = visitor_of_request(request), owner_of_return(number)
    if owner is not None:
        return owner if _is_signed(request, number) or is_customer(visitor, owner.pk) else None
    return customer_by_id(visitor.customer_id) if visitor.customer_id else None


def _read(who: Who, number: str) -> tuple[ReturnRecord | None, OrderRecord | None]:
    parcel = backend().return_of(who, number)
    return parcel, backend().order(who, parcel.order_number) if parcel else None


def _is_signed(request: HttpRequest, number: str) -> bool:
    key = request.GET.get("key", "")
    try:
        return bool(TimestampSigner(salt=LABEL_LINK).unsign(f"{number}:{key}", max_age=LINK_FOR))
    except BadSignature:
        return False
