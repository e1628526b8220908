"""What every HTTP answer passes: static files, the request's id for the logs, and the content security policy."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import sync_only_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]
REQUEST_ID = re.compile(r"[\w.-]{8,64}")
STAFF_PATHS = ("/admin/", "/django-rq/")
QUIET_PATHS = ("/static/", "/healthz", "/readyz", "/metrics")
log = structlog.get_logger(__name__)


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise with whole bodies: its file iterators are synchronous, which ASGI would read in a thread each."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file:
            with found.file as content:
                body = content.read()
        answer = HttpResponse(body, status=int(found.status), headers=dict(found.headers))
        if "Content-Type" not in dict(found.headers):
            del answer["Content-Type"]
        return answer


class RequestMiddleware:
    """Gives each request an id, in its logs and its answer, and one line in the log when it is done.

    A proxy's X-Request-ID is kept when it looks like one. The line has the path without its query: tokens travel there.
    Nothing of the staff's pages is kept by a browser, refusals and redirects included: after signing out, "back" must
    not show customers' words, nor which conversations there are.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if not request.path.startswith(QUIET_PATHS):
                took = round((time.perf_counter() - began) * 1000)
                log.info("request", method=request.method, path=request.path, status=response.status_code, ms=took)
        if request.path.startswith(STAFF_PATHS):
            add_never_cache_headers(response)
        response["X-Request-ID"] = request_id
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        """The conversation a page or call is about is on every line it logs."""
        if "conversation_id" in kwargs:
            structlog.contextvars.bind_contextvars(conversation_id=str(kwargs["conversation_id"]))


class PolicyMiddleware(CSPMiddleware):
    """django-csp, on every page: it would leave out 404 pages in DEBUG. Django's own crash page keeps its styles."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response["Reporting-Endpoints"] = f'csp="{settings.POLICY_REPORTS}"'
        if not (settings.DEBUG and response.status_code == 404):
            return super().process_response(request, response)
        response.status_code = 200  # what the base class looks at
        try:
            return super().process_response(request, response)
        finally:
            response.status_code = 404


@sync_only_middleware
def one_thread(get_response: GetResponse) -> GetResponse:
    """As the innermost, makes every middleware around it synchronous: one hop to a thread in place of two for each."""
    return get_response
