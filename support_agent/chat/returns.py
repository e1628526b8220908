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
from tickets.models import Return
from tickets.selectors.returns import return_of_number

NUMBER = re.compile(r"R-\w{1,14}")
LINK_FOR = timedelta(days=2)
"""How long a card's link opens the label without a session: the frame on other sites has none."""


@require_GET
@never_cache
def label(request: HttpRequest, number: str) -> HttpResponse:
    """The label while the parcel is still to come; a foreign return looks like a missing one."""
    parcel = return_of_number(number) if NUMBER.fullmatch(number) else None
    if parcel is None or not (
        _is_signed(request, number) or is_customer(visitor_of_request(request), parcel.order.customer_id)
    ):
        raise Http404
    send_by = policy.label_until(parcel.created_at)
    is_open = parcel.status == Return.Status.LABEL_SENT and timezone.now().date() <= send_by
    context = {"parcel": parcel, "order": parcel.order, "lines": parcel.lines.all(), "send_by": send_by}
    return render(request, "chat/label.html", {**context, "is_open": is_open}, status=200 if is_open else 410)


def _is_signed(request: HttpRequest, number: str) -> bool:
    key = request.GET.get("key", "")
    try:
        return bool(TimestampSigner(salt=LABEL_LINK).unsign(f"{number}:{key}", max_age=LINK_FOR))
    except BadSignature:
        return False
