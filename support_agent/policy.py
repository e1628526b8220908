"""`/csp-report/`: where browsers post what the content security policy made them refuse."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from support_agent.addresses import client_address
from support_agent.runtime.policy_reports import kinds_of, record
from support_agent.runtime.ratelimit import allow
from tickets.errors import RateLimited

MAX_BYTES = 64 * 1024
TYPES = ("application/csp-report", "application/reports+json")  # a foreign page cannot send these unasked


@csrf_exempt  # browsers send reports by themselves, without a token; nothing but a count comes of one
@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """204 whatever a report says; bounded in size, by address, and in what is kept of it."""
    if request.content_type not in TYPES:
        return HttpResponse(status=415)
    try:
        allow("policy_report", client_address(request.META))
    except RateLimited as refusal:
        return HttpResponse(status=429, headers={"Retry-After": str(refusal.retry_after)})
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return HttpResponse(status=413)
    record(kinds_of(_json(body), request.get_host().lower()))
    return HttpResponse(status=204)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


urlpatterns = [path(settings.POLICY_REPORTS.lstrip("/"), report, name="policy-report")]
