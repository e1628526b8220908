"""What pages answer when it is too much: 429 to who asks too often, 503 while the database cannot serve; never a 500.

The HTTP API says the same as problem documents (chat/api/problems.py).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from support_agent.addresses import client_address
from support_agent.runtime.ratelimit import allow
from tickets.errors import RateLimited

AGAIN_S, A_MINUTE_S = 5, 60
DATABASE_AWAY = (OperationalError, InterfaceError)  # no connection free or to be had, or one that broke
# The desk's pages know nothing of limits: view -> what it counts as, for an address.
COUNTED = {"help": "search", "help_suggest": "suggest", "help_feedback": "article_feedback"}
SEARCHES = {"search", "suggest"}
log = logging.getLogger(__name__)


class BusyMiddleware:
    """Counts what the help centre is asked (a search costs a query and a vector), and words what views raise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:  # pages that word their own refusal
            response.headers.setdefault("Retry-After", str(A_MINUTE_S))
        return response

    def process_view(self, request: HttpRequest, *__: object) -> HttpResponse | None:
        match = request.resolver_match
        scope = COUNTED.get(match.view_name) if match else None
        if scope is None or (scope in SEARCHES and not request.GET.get("q", "").strip()):
            return None
        try:
            allow(scope, client_address(request.META))
        except RateLimited as refusal:
            return too_often(refusal)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, RateLimited):
            return too_often(error)
        return come_again(request, error) if isinstance(error, DATABASE_AWAY) else None


def too_often(refusal: RateLimited) -> HttpResponse:
    return _page(HTTPStatus.TOO_MANY_REQUESTS, refusal.retry_after, refusal.message)


def come_again(request: HttpRequest, error: BaseException) -> HttpResponse:
    log.error("database_away", exc_info=error, extra={"path": request.path})
    return _page(
        HTTPStatus.SERVICE_UNAVAILABLE, AGAIN_S, _("Please try again in %(seconds)s seconds.") % {"seconds": AGAIN_S}
    )


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500: also what middleware raises, the session's store among it, comes by here."""
    error = sys.exc_info()[1]
    return come_again(request, error) if isinstance(error, DATABASE_AWAY) else server_error(request)


def _page(status: HTTPStatus, wait: int, words: str) -> HttpResponse:
    """Rendered without the request, whose user and session may be what the database cannot give."""
    body = get_template("busy.html").render({"words": words})
    return HttpResponse(body, status=status, headers={"Retry-After": str(wait), "Cache-Control": "no-store"})
