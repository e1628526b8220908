"""Answers travel compressed, except where their length could tell a secret (BREACH).

Whoever can read the length of an encrypted answer, and has some of its text chosen by a link, can guess at what else is
in it. So nothing is compressed that has both: a visitor's session, and a query or a form that may come back in the
page. Nor are the desk's pages, where what one customer wrote stands beside everything else. Django's own padding of
random length and its masked CSRF tokens come on top.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from support_agent.middleware import STAFF_PATHS

SAFE = ("GET", "HEAD")
TEXTS = ("text/", "application/javascript", "application/json", "application/xml", "image/svg+xml")


class CompressionMiddleware(GZipMiddleware):
    """Gzip for texts; static files that were compressed before, and better, pass as they are."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not may_compress(request) or not response.headers.get("Content-Type", "").startswith(TEXTS):
            return response
        return super().process_response(request, response)


def may_compress(request: HttpRequest) -> bool:
    """Whether nothing in the answer can be both a visitor's own and chosen by somebody else."""
    if request.path.startswith(STAFF_PATHS):
        return False
    is_known = settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers
    is_chosen = bool(request.META.get("QUERY_STRING")) or request.method not in SAFE
    return not (is_known and is_chosen)
